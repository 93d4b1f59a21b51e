using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Tests;

/// <summary>The docs leave nothing out, and lead nowhere that is not there.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void Every_key_of_the_settings_is_in_the_docs()
    {
        var text = Read("docs/CONFIGURATION.md");
        SettingKeys.Top.Select(key => key.Name).Concat(SettingKeys.OfRegistry.Select(key => key.Name))
            .Where(key => !text.Contains($"`{key}`", StringComparison.Ordinal)).ShouldBeEmpty();
        var schema = Read("src/ImageCriShim/Configuration/settings.schema.json");
        SchemaKey().Matches(schema).Select(match => match.Groups[1].Value).Except(["items"]) // of JSON Schema itself
            .Where(key => !Regex.IsMatch(text, $@"[`.{{ (]{key}\b")).ShouldBeEmpty();
    }

    [Fact]
    public void Every_link_between_the_docs_leads_somewhere()
    {
        var broken = from file in Directory.EnumerateFiles(Path.Combine(Root(), "docs"), "*.md", SearchOption.AllDirectories).Append(Path.Combine(Root(), "README.md"))
                     from Match link in Link().Matches(File.ReadAllText(file))
                     let target = link.Groups[1].Value.Split('#')
                     let path = target[0].Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, target[0])
                     where !Path.Exists(path) || (target.Length > 1 && !Anchors(path).Contains(target[1]))
                     select $"{Path.GetRelativePath(Root(), file)}: {link.Groups[1].Value}";
        broken.ShouldBeEmpty();
    }

    private static IEnumerable<string> Anchors(string file) =>
        Heading().Matches(File.ReadAllText(file)).Select(match => NoLetter().Replace(match.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    private static string Read(string file) => File.ReadAllText(Path.Combine(Root(), file));

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../.."));

    [GeneratedRegex(@"(?m)^#{2,3} (.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"""([a-zA-Z]+)"": \{ ?""(?:type|\$ref|description)""")]
    private static partial Regex SchemaKey();

    [GeneratedRegex(@"\]\((?!https?:)([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\p{L}\p{Nd} _-]")]
    private static partial Regex NoLetter();
}
