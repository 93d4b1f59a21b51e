using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Installation;

/// <summary>
/// Checks that a text from which our lines were taken says what the operator has written, and what stood there before us. It is read as YAML
/// where it is YAML, else as lines, each with those that it goes on in.
/// </summary>
internal static class ThreeWays
{
    public static bool IsMerged(string before, string after, string now, string merged)
    {
        if (YamlText.TryRead(after) is not { } ours)
            return IsMerged(LogicalLines(before), LogicalLines(after), LogicalLines(now), LogicalLines(merged));
        if (YamlText.TryRead(before) is not { } old || YamlText.TryRead(now) is not { } theirs || YamlText.TryRead(merged) is not { } left)
            return false;
        return old.Keys.Union(ours.Keys).Union(theirs.Keys).Union(left.Keys).All(key =>
            IsMerged(old.GetValueOrDefault(key), ours.GetValueOrDefault(key), theirs.GetValueOrDefault(key), left.GetValueOrDefault(key)));
    }

    private static bool IsMerged(YamlNode? before, YamlNode? after, YamlNode? now, YamlNode? merged)
    {
        if (Equals(now, after))
            return Equals(merged, before);
        if (Equals(after, before))
            return Equals(merged, now);
        return now is YamlSequenceNode && after is YamlSequenceNode && IsMerged(Entries(before), Entries(after), Entries(now), Entries(merged));
    }

    /// <summary>What there is now, without what we added, and with what we took away.</summary>
    private static bool IsMerged(List<string> before, List<string> after, List<string> now, List<string> merged)
    {
        var (added, taken) = (Without(after, before), Without(before, after));
        var expected = Without(now, added).Concat(taken).Order(StringComparer.Ordinal);
        return Without(added, now).Count == 0 && expected.SequenceEqual(merged.Order(StringComparer.Ordinal));
    }

    /// <summary>As often as it stands there.</summary>
    private static List<string> Without(List<string> all, List<string> others)
    {
        var left = all.ToList();
        foreach (var other in others)
            left.Remove(other);
        return left;
    }

    private static List<string> Entries(YamlNode? node) => node switch
    {
        YamlSequenceNode list => [.. list.Children.Select(one => $"{one}")],
        null => [],
        _ => [$"{node}"],
    };

    private static List<string> LogicalLines(string text) =>
        [.. text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n').Where(line => line.Length > 0)];
}
