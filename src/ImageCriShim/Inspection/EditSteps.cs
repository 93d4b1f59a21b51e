using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>An edit of a file as steps to be taken by hand, from the top: the line numbers of each count on those before it.</summary>
internal static class EditSteps
{
    /// <param name="edit">Of an installation.</param>
    /// <param name="file">Where an operator finds it.</param>
    public static IReadOnlyList<Remedy> Of(TextEdit edit, string file)
    {
        if (edit.Before.Content is not { Length: > 0 } content)
            return [Remedy.Write(file, edit.Text.TrimEnd('\n'))];
        var before = Lines(TextEdit.TextOf(content));
        var steps = new List<Remedy>();
        var (number, removed, added) = (0, 0, new List<string>());
        foreach (var line in LineDiff.Of(before, Lines(edit.Text)).Append(new(' ', "")))
        {
            if (line.Sign == '-')
                removed++;
            else if (line.Sign == '+')
                added.Add(line.Text);
            else
            {
                if (removed > added.Count)
                    return [Remedy.Run("image-cri-shim install")]; // no step takes a line away, and the whole file may hold secrets
                steps.AddRange(added.Take(removed).Select((text, i) => Remedy.Replace(file, number + i + 1, text)));
                number += removed;
                if (added.Count > removed)
                    steps.Add(Remedy.AddBehind(file, number == before.Length ? 0 : number, string.Join('\n', added.Skip(removed))));
                number += added.Count - removed + 1;
                (removed, added) = (0, []);
            }
        }

        return steps;
    }

    private static string[] Lines(string text) => [.. text.TrimEnd('\n').Split('\n').Select(line => line.TrimEnd('\r'))];
}
