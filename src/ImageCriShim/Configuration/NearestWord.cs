namespace ImageCriShim.Configuration;

/// <summary>Finds the word that somebody probably meant.</summary>
internal static class NearestWord
{
    /// <returns>
    /// Null if none is near: a third of the letters may differ, two of a short word, one of a very short one. Then one that it is the beginning
    /// of (<c>insecure</c>, <c>insecureSkipVerify</c>), or that begins it (<c>caFile</c>, <c>ca</c>).
    /// </returns>
    public static string? Find(string typed, IEnumerable<string> words)
    {
        var known = words.ToList();
        return FindMisspelt(typed, known)
            ?? known.Where(word => Begins(typed, word) || Begins(word, typed)).OrderByDescending(word => word.Length).FirstOrDefault();
    }

    private static string? FindMisspelt(string typed, List<string> words)
    {
        var limit = typed.Length <= 4 ? 1 : Math.Max(2, typed.Length / 3);
        return words
            .Select(word => (Word: word, Distance: Distance(typed.ToLowerInvariant(), word.ToLowerInvariant())))
            .Where(candidate => candidate.Distance <= limit)
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Word, StringComparer.Ordinal)
            .Select(candidate => candidate.Word)
            .FirstOrDefault();
    }

    /// <summary>Whether a word that is written like this ends with the beginning.</summary>
    private static bool Begins(string beginning, string whole) =>
        whole.Length > beginning.Length && whole.StartsWith(beginning, StringComparison.OrdinalIgnoreCase) && char.IsAsciiLetterUpper(whole[beginning.Length]);

    /// <summary>Levenshtein's: letters put in, left out or replaced.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
