using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>What one set of settings says and another does not, a line for each key. No line shows a secret.</summary>
internal static class SettingsChanges
{
    private const string AtStart = "; it takes effect at the next start";

    private static readonly (string Key, Func<ShimSettings, string> Value, string Remark)[] s_keys =
    [
        ("shim", s => s.ShimSocket, AtStart),
        ("cri", s => s.RuntimeSocket ?? "found", AtStart),
        ("image", s => s.StateDirectory, AtStart),
        ("force", s => Word(s.Force), AtStart),
        ("version", s => $"{s.Version}".ToLowerInvariant(), "; it takes effect for new connections"),
        ("debug", s => Word(s.Debug), ""),
        ("timeout", s => GoDuration.Format(s.Timeout), ""),
        ("reloadInterval", s => GoDuration.Format(s.ReloadInterval), ""),
        ("probeTimeout", s => GoDuration.Format(s.ProbeTimeout), ""),
        ("names", s => $"{s.Names}".ToLowerInvariant(), ""),
        ("offlineOnly", s => Word(s.OfflineOnly), ""),
        ("digestFallback", s => Word(s.DigestFallback), ""),
        ("serveLocal", s => Word(s.ServeLocal), ""),
        ("cache.imageCacheSize", s => $"{s.Cache.ImageCacheSize}", ""),
        ("cache.imageCacheTTL", s => GoDuration.Format(s.Cache.ImageCacheTtl), ""),
        ("cache.missTTL", s => GoDuration.Format(s.Cache.MissTtl), ""),
        ("exclude", s => List(s.Exclude), ""),
        ("block", s => List(s.Block), ""),
    ];

    private static readonly (string Key, Func<Registry, string> Value)[] s_ofRegistry =
    [
        ("address", r => $"{r.Address}"),
        ("priority", r => $"{r.Priority}"),
        ("forwardPullSecrets", r => Word(r.ForwardPullSecrets)),
        ("images", r => List(r.Images)),
        ("exclude", r => List(r.Exclude)),
        ("path", r => $"{r.Path}"),
    ];

    public static IReadOnlyList<string> Between(ShimSettings before, ShimSettings now) => [.. OfKeys(before, now, s_keys), .. OfRegistries(before, now)];

    /// <summary>Only what a process cannot change as it runs: its sockets.</summary>
    public static IReadOnlyList<string> OfSockets(ShimSettings before, ShimSettings now) => [.. OfKeys(before, now, s_keys[..2])];

    private static IEnumerable<string> OfKeys(ShimSettings before, ShimSettings now, (string Key, Func<ShimSettings, string> Value, string Remark)[] keys) =>
        from key in keys
        let values = (Before: key.Value(before), Now: key.Value(now))
        where values.Before != values.Now
        select $"{key.Key} {values.Before} -> {values.Now}{key.Remark}";

    private static IEnumerable<string> OfRegistries(ShimSettings before, ShimSettings now)
    {
        foreach (var gone in before.Registries.Where(registry => Find(now, registry) is null))
            yield return gone.IsOffline ? $"address: {gone.Address} removed" : $"registries: removed {gone}";
        foreach (var registry in now.Registries)
        {
            var name = registry.IsOffline ? "address" : "registries";
            if (Find(before, registry) is not { } earlier)
                yield return $"{name}: added {registry}";
            else
                foreach (var change in OfRegistry(earlier, registry))
                    yield return $"{name}: {registry.Address}: {change}";
        }
    }

    private static IEnumerable<string> OfRegistry(Registry before, Registry now)
    {
        foreach (var (key, value) in s_ofRegistry)
        {
            if (value(before) != value(now))
                yield return $"{key} {value(before)} -> {value(now)}";
        }

        if (!(before.Credentials?.IsSameAs(now.Credentials) ?? now.Credentials is null))
            yield return "auth changed";
        if (before.Tls != now.Tls)
            yield return "tls changed";
    }

    private static Registry? Find(ShimSettings settings, Registry registry) => settings.Registries.FirstOrDefault(other =>
        other.IsOffline == registry.IsOffline && other.Host == registry.Host && other.Address.Path == registry.Address.Path);

    private static string Word(bool value) => value ? "true" : "false";

    private static string List(IEnumerable<ImagePattern> patterns) => $"[{string.Join(", ", patterns)}]";
}
