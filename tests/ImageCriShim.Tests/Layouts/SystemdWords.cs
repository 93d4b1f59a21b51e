using System.Text;

namespace ImageCriShim.Tests.Layouts;

/// <summary>How systemd takes command lines and assignments apart (systemd.service(5), systemd.exec(5)).</summary>
internal static class SystemdWords
{
    private const string Blank = " \t\n\r";

    /// <summary>Words as in <c>ExecStart=</c> and <c>Environment=</c>: quotes may stand anywhere and go, a backslash escapes.</summary>
    public static List<string> Split(string text)
    {
        var words = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            if (Blank.Contains(text[at]))
                at++;
            else
                words.Add(NextWord(text, ref at));
        }

        return words;
    }

    /// <summary>The words of a command with its variables put in: <c>$NAME</c> alone becomes words, <c>${NAME}</c> a part of one.</summary>
    public static List<string> Expand(IEnumerable<string> words, IReadOnlyDictionary<string, string> variables) =>
        [.. words.SelectMany(word => IsVariable(word) ? Split(variables.GetValueOrDefault(word[1..], "")) : [WithBraces(word, variables)])];

    private static string NextWord(string text, ref int at)
    {
        var word = new StringBuilder();
        var quote = '\0';
        for (; at < text.Length && (quote != '\0' || !Blank.Contains(text[at])); at++)
        {
            if (text[at] == quote)
                quote = '\0';
            else if (quote == '\0' && text[at] is '"' or '\'' && quote == '\0')
                quote = text[at];
            else if (text[at] == '\\' && at + 1 < text.Length)
                word.Append(text[++at] switch { 'n' => '\n', 't' => '\t', 's' => ' ', var other => other });
            else
                word.Append(text[at]);
        }

        return quote == '\0' ? $"{word}" : throw new NodeFailure($"a quote is not closed in: {text}");
    }

    private static bool IsVariable(string word) =>
        word.Length > 1 && word[0] == '$' && word.Skip(1).All(character => char.IsAsciiLetterOrDigit(character) || character == '_');

    private static string WithBraces(string word, IReadOnlyDictionary<string, string> variables)
    {
        foreach (var (name, value) in variables)
            word = word.Replace($"${{{name}}}", value, StringComparison.Ordinal);
        return System.Text.RegularExpressions.Regex.Replace(word, @"\$\{\w+\}", "").Replace("$$", "$", StringComparison.Ordinal);
    }
}
