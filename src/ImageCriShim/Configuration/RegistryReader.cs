using System.Diagnostics.CodeAnalysis;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>Reads one registry: an entry of <c>registries</c>, or the top level, which describes the offline registry.</summary>
internal static class RegistryReader
{
    /// <summary>The words of <see cref="PullFromMirror"/>, in its order.</summary>
    private static readonly string[] s_pullFromMirror = ["all", "digest-only", "tag-only"];

    public static Registry? ReadOffline(YamlMap top)
    {
        if (!TryReadAddress(top, out var address))
        {
            if (!top.Has("address"))
                top.Problem("address", $"missing; use the offline registry's {RegistryAddress.Allowed}");
            // Read the rest for its problems.
        }
        return Read(top, address, "offlinePriority", Registry.DefaultOfflinePriority) is { } registry
            ? registry with { IsOffline = true }
            : null;
    }

    public static Registry? ReadEntry(YamlMap entry)
    {
        ConfigMapForm.UnfoldEntry(entry);
        var found = TryReadAddress(entry, out var address);
        var registry = Read(entry, address, "priority", Registry.DefaultPriority);
        var exclude = entry.Patterns("exclude");
        entry.RefuseOthers();
        if (!found && !entry.Has("address"))
            entry.Report.Warning(entry.PathOf("address"), entry.Line, "missing; the entry is ignored");
        return registry is null ? null : registry with { Exclude = exclude };
    }

    /// <summary>What both have. <c>exclude</c> at the top is about all registries.</summary>
    private static Registry? Read(YamlMap map, RegistryAddress? address, string priorityKey, int defaultPriority)
    {
        var credentials = CredentialReader.Read(map);
        var forwardPullSecrets = map.Flag("forwardPullSecrets");
        var tls = TlsReader.Read(map.Map("tls"), address);
        var priority = ReadPriority(map, priorityKey, defaultPriority);
        var images = map.Patterns("images");
        var path = ReadPath(map);
        var apiRoot = ReadApiRoot(map);
        var sendsNamespace = map.Flag("ns");
        var pullFromMirror = ReadPullFromMirror(map);
        return address is null ? null : new Registry(address)
        {
            Credentials = credentials,
            ForwardPullSecrets = forwardPullSecrets,
            Tls = tls,
            Priority = priority,
            Images = images,
            Path = path,
            ApiRoot = apiRoot,
            SendsNamespace = sendsNamespace,
            PullFromMirror = pullFromMirror,
        };
    }

    private static bool TryReadAddress(YamlMap map, [NotNullWhen(true)] out RegistryAddress? address)
    {
        address = null;
        var text = map.Text("address", RegistryAddress.Allowed);
        if (string.IsNullOrWhiteSpace(text))
            return false;
        if (RegistryAddress.TryParse(text, out address, out var problem))
            return true;
        map.Problem("address", $"{problem}; use {RegistryAddress.Allowed}");
        return false;
    }

    private static int ReadPriority(YamlMap map, string key, int byDefault)
    {
        var priority = map.Number(key, $"0 to {Registry.MaxPriority}; 0 means {byDefault}") ?? 0;
        var clamped = Math.Clamp(priority, 0, Registry.MaxPriority);
        if (clamped != priority)
            map.Warning(key, $"{priority} is taken as {clamped}; use 0 to {Registry.MaxPriority}");
        return priority == 0 ? byDefault : clamped;
    }

    private static string ReadApiRoot(YamlMap map)
    {
        const string Allowed = "the path of its API, such as /artifactory/api/docker/hub/v2, or / for none";
        var text = map.Text("apiRoot", Allowed);
        if (text is null)
            return Registry.DefaultApiRoot;
        if (text.StartsWith('/') && Uri.TryCreate($"https://registry{text}", UriKind.Absolute, out var uri) && uri.AbsolutePath == text)
            return text.Trim('/');
        map.Refuse("apiRoot", text, $"is no such path; use {Allowed}");
        return Registry.DefaultApiRoot;
    }

    public static string WordOf(PullFromMirror value) => s_pullFromMirror[(int)value];

    private static PullFromMirror ReadPullFromMirror(YamlMap map)
    {
        var allowed = string.Join(" or ", s_pullFromMirror);
        if (map.Text("pullFromMirror", allowed) is not { } text)
            return PullFromMirror.All;
        var found = Array.IndexOf(s_pullFromMirror, text);
        if (found < 0)
            map.Refuse("pullFromMirror", text, $"is not known here; use {allowed}");
        return (PullFromMirror)Math.Max(found, 0);
    }

    private static PathTemplate ReadPath(YamlMap entry)
    {
        var text = entry.Text("path", PathTemplate.Allowed);
        if (text is null)
            return PathTemplate.Default;
        if (PathTemplate.TryParse(text, out var template))
            return template;
        entry.Refuse("path", text, $"is not a template; use {PathTemplate.Allowed}");
        return PathTemplate.Default;
    }
}
