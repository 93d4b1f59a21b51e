using System.Collections.Immutable;
using ImageCriShim.Registries;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>Reads the top level of the config file and its drop-ins.</summary>
internal static class SettingsReader
{
    private const int MaxCacheSize = 1_000_000; // an entry is about 1 KiB; no node has this many images

    private const string Registries = "registries";
    private const string Cache = "cache";

    /// <param name="files">The top levels, at least one; a later one wins.</param>
    /// <param name="origins">Is told where everything was written.</param>
    /// <returns>Null where no offline registry could be made out; otherwise usable only if nothing was reported as a problem.</returns>
    public static ShimSettings? Read(IReadOnlyList<YamlMap> files, Origins? origins = null)
    {
        if (files.Where(ConfigMapForm.IsManifest).ToList() is [_, ..]) // of all, for their problems
            return null;
        foreach (var file in files)
            ConfigMapForm.Unfold(file);
        var (top, lists) = (files[0], files.SelectMany(ListRegistries).ToList());
        var cache = top.Map(Cache);
        foreach (var later in files.Skip(1))
        {
            cache.Override(later.Map(Cache));
            later.Drop(Cache);
            later.Drop(Registries);
            top.Override(later, CredentialReader.Keys);
        }

        origins?.Add("", top);
        origins?.Add("", cache, Cache);
        return Read(top, cache, lists, origins);
    }

    private static ShimSettings? Read(YamlMap top, YamlMap cache, List<RegistryEntry> registries, Origins? origins)
    {
        var defaults = new ShimSettings { Registries = [] };
        var offline = RegistryReader.ReadOffline(top);
        var settings = defaults with
        {
            ShimSocket = top.SocketPath("shim") ?? defaults.ShimSocket,
            RuntimeSocket = top.SocketPath("cri"),
            Registries = ReadRegistries(registries, offline, origins),
            Force = top.Flag("force"),
            Debug = top.Flag("debug"),
            Timeout = top.Duration("timeout", defaults.Timeout),
            ReloadInterval = top.Duration("reloadInterval", defaults.ReloadInterval),
            StateDirectory = ReadStateDirectory(top) ?? defaults.StateDirectory,
            Version = ReadWord<CriVersion>(top, "version", "a CRI version", new("auto", CriVersion.Auto), new("v1", CriVersion.V1), new("v1alpha2", CriVersion.V1Alpha2)),
            Names = ReadWord<ShownNames>(
                top, "names", "a way of showing names", new("original", ShownNames.Original), new("both", ShownNames.Both), new("actual", ShownNames.Actual)),
            Cache = ReadCache(cache),
            OfflineOnly = top.Flag("offlineOnly"),
            DigestFallback = top.Flag("digestFallback"),
            ServeLocal = top.Flag("serveLocal", byDefault: defaults.ServeLocal),
            ProbeTimeout = top.Duration("probeTimeout", defaults.ProbeTimeout),
            Metrics = top.ListenAddress("metrics", defaults.Metrics),
            Exclude = top.Patterns("exclude"),
            Block = top.Patterns("block"),
        };
        top.Retire("sync", "belongs to an older release and does nothing here");
        top.Retire("registry.d", "belongs to an older release and does nothing here; write its entries into registries");
        if (top.HasUnknown("priority"))
        {
            top.Problem("priority", "stands at the top; indent it like the other keys of its entry of registries, or use offlinePriority");
            top.Drop("priority");
        }

        top.RefuseOthers();
        if (settings.RuntimeSocket == settings.ShimSocket)
            top.Problem("cri", $"{settings.ShimSocket} is our own socket; use the runtime's");
        return offline is null ? null : settings;
    }

    /// <summary>By priority; among equals the offline registry, then by host.</summary>
    private static ImmutableArray<Registry> ReadRegistries(List<RegistryEntry> entries, Registry? offline, Origins? origins)
    {
        var registries = new List<Registry>();
        if (offline is not null)
            registries.Add(offline);
        foreach (var (node, path, report) in entries)
        {
            if (node is not YamlMappingNode mapping)
                report.Problem(path, node.Start.Line, "is not a mapping; use address, auth, priority ...");
            else
                ReadRegistry(new YamlMap(mapping, path, report), registries, origins);
        }
        registries.Sort(CompareRank);
        return [.. registries];
    }

    private static void ReadRegistry(YamlMap entry, List<Registry> registries, Origins? origins)
    {
        if (RegistryReader.ReadEntry(entry) is not { } registry)
            return;
        origins?.Add(registry.Place, entry);
        Add(registries, registry, entry.Path, entry.Line, entry.Report);
    }

    private static IEnumerable<RegistryEntry> ListRegistries(YamlMap file) =>
        file.List(Registries, "a list of entries, each with an address").Select((node, index) => new RegistryEntry(node, $"{Registries}[{index}]", file.Report));

    private static int CompareRank(Registry one, Registry other)
    {
        if (one.Priority != other.Priority)
            return other.Priority - one.Priority;
        if (one.IsOffline != other.IsOffline)
            return one.IsOffline ? -1 : 1;
        var byHost = string.CompareOrdinal(one.Host, other.Host);
        if (byHost != 0)
            return byHost;
        var byPath = string.CompareOrdinal(one.Address.Path, other.Address.Path);
        return byPath != 0 ? byPath : string.CompareOrdinal(one.ApiRoot, other.ApiRoot);
    }

    /// <summary>The Go shim kept one entry per host, the last one, and looked at its offline registry first.</summary>
    private static void Add(List<Registry> registries, Registry registry, string path, long line, ConfigReport report)
    {
        var twin = registries.FindIndex(registry.IsSamePlaceAs);
        if (twin < 0)
        {
            registries.Add(registry);
        }
        else if (registries[twin].IsOffline)
        {
            report.Warning(path, line, $"{registry.Address} is the offline registry already; the entry is ignored");
        }
        else
        {
            report.Warning(path, line, $"{registry.Address} stands there twice; this entry counts");
            registries[twin] = registry;
        }
    }

    private static string? ReadStateDirectory(YamlMap top)
    {
        var text = top.Text("image", "an absolute path");
        if (string.IsNullOrEmpty(text))
            return null;
        if (!YamlValues.IsAbsolutePath(text))
            top.Refuse("image", text, $"is not an absolute path; use the directory for our state, such as /var/lib/image-cri-shim");
        return text;
    }

    /// <summary>One of a few words; the first one where the key is absent or wrong.</summary>
    private static T ReadWord<T>(YamlMap top, string key, string what, params Word<T>[] words)
    {
        var known = words.Select(word => word.Text).ToList();
        var allowed = $"{string.Join(", ", known.SkipLast(1))} or {known[^1]}";
        var text = top.Text(key, allowed);
        if (string.IsNullOrEmpty(text))
            return words[0].Meaning;
        var found = known.IndexOf(text);
        if (found < 0)
            top.Refuse(key, text, $"is not {what}; use {allowed}");
        return words[Math.Max(found, 0)].Meaning;
    }

    private static CacheSettings ReadCache(YamlMap cache)
    {
        var defaults = new CacheSettings();
        const string Allowed = "0 (no cache) to 1000000";
        var size = cache.Number("imageCacheSize", Allowed) ?? defaults.ImageCacheSize;
        if (size is < 0 or > MaxCacheSize)
            cache.Warning("imageCacheSize", $"{size} is taken as {Math.Clamp(size, 0, MaxCacheSize)}; use {Allowed}");
        var interval = cache.Duration("statsLogInterval", defaults.StatsLogInterval!.Value);
        var settings = new CacheSettings
        {
            ImageCacheSize = Math.Clamp(size, 0, MaxCacheSize),
            ImageCacheTtl = cache.Duration("imageCacheTTL", defaults.ImageCacheTtl),
            MissTtl = cache.Duration("missTTL", defaults.MissTtl),
            StatsLogInterval = cache.Flag("disableStats") ? null : interval,
        };
        cache.Duration("domainCacheTTL", TimeSpan.Zero); // registries are found in the settings
        cache.NoteIdle("domainCacheTTL");
        cache.RefuseOthers();
        return settings;
    }

    // Classes, not tuples: generic code over values would be compiled at every start.

    private sealed record RegistryEntry(YamlNode Node, string Path, ConfigReport Report);

    private sealed record Word<T>(string Text, T Meaning);
}
