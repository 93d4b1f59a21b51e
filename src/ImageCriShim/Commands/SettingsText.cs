using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Commands;

/// <summary>
/// Settings as a config file that would come to the same, but for its secrets, with the place where each value was written behind it.
/// </summary>
internal static class SettingsText
{
    private const string Default = "default";
    private const string Secret = "***";

    // What is shown as it is written, but for secrets.
    private static readonly string[] s_written =
    [
        "username", "auth", "password", "passwordFile", "identityToken", "identityTokenFile", "registryToken", "registryTokenFile", "dockerConfig",
        "credentialProvider.config", "credentialProvider.binDir", "tls.ca", "tls.cert", "tls.key", "tls.insecureSkipVerify",
    ];

    public static string Format(ShimSettings settings, Origins origins)
    {
        var lines = new List<Line>();
        foreach (var key in SettingKeys.Top)
            AddOne(lines, key.Name, key.Value(settings), origins.Find("", key.Name)?.Place ?? Default, indent: "");
        AddRegistry(lines, settings.Offline, origins, first: "", rest: "");
        var others = settings.Registries.Where(registry => !registry.IsOffline).ToList();
        lines.Add(new Line(others.Count == 0 ? "registries: []" : "registries:", others.Count == 0 ? Default : ""));
        foreach (var registry in others)
            AddRegistry(lines, registry, origins, first: "- ", rest: "  ");
        return Align(lines);
    }

    private static void AddRegistry(List<Line> lines, Registry registry, Origins origins, string first, string rest)
    {
        var at = registry.IsOffline ? "" : registry.Place;
        var indent = first;
        foreach (var key in SettingKeys.OfRegistry.Where(key => !registry.IsOffline || key.Name != "exclude"))
        {
            var name = registry.IsOffline && key.Name == "priority" ? "offlinePriority" : key.Name;
            AddOne(lines, name, key.Value(registry), origins.Find(at, name)?.Place ?? Default, indent);
            indent = rest;
        }

        foreach (var key in s_written)
        {
            if (origins.Find(at, key) is { Text.Length: > 0 } origin)
                AddOne(lines, key, Shown(key, origin.Text), origin.Place, rest);
        }
    }

    private static string Shown(string key, string text) => key switch
    {
        "auth" => text.Split(':') is [var user, _, ..] ? $"{user.Trim()}:{Secret}" : Secret,
        "password" or "identityToken" or "registryToken" => Secret,
        _ => text,
    };

    /// <summary>A key within a mapping opens it, if the line before is not in the same.</summary>
    private static void AddOne(List<Line> lines, string key, string value, string place, string indent)
    {
        if (key.Split('.') is [var map, var inner])
        {
            if (lines.FindLast(line => !line.Text.StartsWith($"{indent}  ", StringComparison.Ordinal))?.Text != $"{indent}{map}:")
                lines.Add(new Line($"{indent}{map}:", ""));
            (key, indent) = (inner, $"{indent}  ");
        }

        lines.Add(new Line($"{indent}{key}: {Quote(value)}", place));
    }

    /// <summary>What YAML could take for something else (section 7.3.3 of YAML 1.2) stands in quotes; lists do not need them but for their asterisks.</summary>
    private static string Quote(string value)
    {
        if (value.StartsWith('[') && value.EndsWith(']'))
            return value.Contains('*') ? $"[{string.Join(", ", value[1..^1].Split(", ").Select(Quote))}]" : value;
        var isPlain = value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || "/._-:@+${}~".Contains(c)) && !"-:@{}~".Contains(value[0])
            && !value.EndsWith(':');
        return isPlain ? value : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static string Align(List<Line> lines)
    {
        const int widest = 60; // what is longer pushes its own place to the right
        var width = lines.Select(line => line.Text.Length).Where(length => length <= widest).Append(0).Max();
        var text = new StringBuilder();
        foreach (var (line, place) in lines)
            text.Append(place.Length == 0 ? line : $"{line.PadRight(width)}  # {place}").Append('\n');
        return text.ToString();
    }

    private sealed record Line(string Text, string Place);
}
