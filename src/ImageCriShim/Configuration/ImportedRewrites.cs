using System.Text.RegularExpressions;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>
/// Rewrites of repositories, as k3s and RKE2 have them (docs.k3s.io, "Private Registry Configuration"): <c>"^rancher/(.*)": "mirror/rancher/$1"</c>.
/// Of regular expressions those are understood that take everything, or everything below a path.
/// </summary>
internal static partial class ImportedRewrites
{
    private const string Everything = "";

    /// <returns>The origin, and one more for each path whose images lie elsewhere at a mirror.</returns>
    public static IEnumerable<ImportedOrigin> Apply(ImportedOrigin origin)
    {
        if (origin.Endpoints.All(endpoint => endpoint.Rewrites.Count == 0))
            return [origin];
        var understood = origin.Endpoints.Select(endpoint => (Endpoint: endpoint, Rules: Understand(endpoint).ToList())).ToList();
        var paths = understood.SelectMany(one => one.Rules).Select(rule => rule.Below).Append(Everything).Distinct();
        return paths.Select(below => origin with
        {
            Pattern = below == Everything ? origin.Pattern : $"{origin.Pattern}/{below}",
            Endpoints = [.. understood.Select(one => Rewrite(one.Endpoint, one.Rules, below))],
        });
    }

    private static ImportedEndpoint Rewrite(ImportedEndpoint endpoint, List<Rule> rules, string below)
    {
        if (rules.Find(rule => rule.Below == below) is not { } rule)
            return endpoint;
        var end = rule.Path.LastIndexOf('/');
        return endpoint with { Repository = end < 0 ? "" : rule.Path[..end], Path = rule.Path[(end + 1)..] };
    }

    private static IEnumerable<Rule> Understand(ImportedEndpoint endpoint)
    {
        var rules = endpoint.Rewrites.Select(rewrite => (rewrite.Key, Rule: Understand(rewrite.Key, rewrite.Value))).ToList();
        foreach (var (pattern, _) in rules.Where(entry => entry.Rule is null))
            endpoint.Place.Loss($"the rewrite of {QuotedValue.Of(pattern)} cannot be said by path; images that it is for are looked for as if it were not there");
        if (rules.Exists(entry => entry.Rule?.Below == Everything) && rules.Count > 1)
            endpoint.Place.Loss("several rewrites are for the same images, and which one counts is left to chance");
        return rules.Select(entry => entry.Rule).OfType<Rule>().DistinctBy(rule => rule.Below);
    }

    private static Rule? Understand(string pattern, string replacement)
    {
        if (AllBelow().Match(pattern) is not { Success: true } match)
            return null;
        var below = match.Groups["below"].Value.Replace(@"\.", ".", StringComparison.Ordinal).TrimEnd('/');
        var place = below.Length == 0 ? ImportedRegistry.WholeRepository : ImportedRegistry.RestOfRepository;
        var path = replacement.Replace("${1}", place, StringComparison.Ordinal).Replace("$1", place, StringComparison.Ordinal).Trim('/');
        var isTemplate = path.Contains(place) && !path.Contains('$') && PathTemplate.TryParse(path, out _);
        return isTemplate && path.LastIndexOf('/') < path.IndexOf(place, StringComparison.Ordinal) ? new Rule(below, path) : null;
    }

    /// <summary><c>(.*)</c>, <c>^(.*)$</c> or <c>^some/path/(.*)</c>.</summary>
    [GeneratedRegex(@"^(\^(?<below>([a-z0-9_/-]|\\\.)+/)|\^)?\(\.[*+]\)\$?$")]
    private static partial Regex AllBelow();

    /// <param name="Below">The path whose images it is for, without slashes around it; empty for all.</param>
    /// <param name="Path">A template of where they lie.</param>
    private sealed record Rule(string Below, string Path);
}
