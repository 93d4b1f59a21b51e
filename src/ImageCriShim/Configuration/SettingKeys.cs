using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>One thing that can be set, as text.</summary>
/// <param name="Name">Its key; <c>cache.missTTL</c> lies in a mapping.</param>
/// <param name="Value">As it would be written into a file, without quotes. Never a secret.</param>
/// <param name="Remark">To follow a change of it in a sentence.</param>
internal sealed record SettingKey<T>(string Name, Func<T, string> Value, string Remark = "");

/// <summary>What can be set, but for credentials and TLS, of which a text shows only where they come from.</summary>
internal static class SettingKeys
{
    private const string AtStart = "; it takes effect at the next start";

    /// <summary>The sockets first: what a process cannot change as it runs.</summary>
    public static IReadOnlyList<SettingKey<ShimSettings>> Top { get; } =
    [
        new("shim", s => s.ShimSocket, AtStart),
        new("cri", s => s.RuntimeSocket ?? "found", AtStart),
        new("image", s => s.StateDirectory, AtStart),
        new("force", s => Word(s.Force), AtStart),
        new("version", s => $"{s.Version}".ToLowerInvariant(), "; it takes effect for new connections"),
        new("debug", s => Word(s.Debug)),
        new("timeout", s => GoDuration.Format(s.Timeout)),
        new("reloadInterval", s => GoDuration.Format(s.ReloadInterval)),
        new("probeTimeout", s => GoDuration.Format(s.ProbeTimeout)),
        new("metrics", s => $"{s.Metrics}" is { Length: > 0 } address ? address : "off"),
        new("names", s => $"{s.Names}".ToLowerInvariant()),
        new("offlineOnly", s => Word(s.OfflineOnly)),
        new("digestFallback", s => Word(s.DigestFallback)),
        new("serveLocal", s => Word(s.ServeLocal)),
        new("cache.imageCacheSize", s => $"{s.Cache.ImageCacheSize}"),
        new("cache.imageCacheTTL", s => GoDuration.Format(s.Cache.ImageCacheTtl)),
        new("cache.missTTL", s => GoDuration.Format(s.Cache.MissTtl)),
        new("cache.statsLogInterval", s => GoDuration.Format(s.Cache.StatsLogInterval ?? new CacheSettings().StatsLogInterval!.Value)),
        new("cache.disableStats", s => Word(s.Cache.StatsLogInterval is null)),
        new("exclude", s => List(s.Exclude)),
        new("block", s => List(s.Block)),
    ];

    /// <summary>Of the offline registry <c>priority</c> is <c>offlinePriority</c>, and <c>exclude</c> is about all registries.</summary>
    public static IReadOnlyList<SettingKey<Registry>> OfRegistry { get; } =
    [
        new("address", r => $"{r.Address}"),
        new("priority", r => $"{r.Priority}"),
        new("forwardPullSecrets", r => Word(r.ForwardPullSecrets)),
        new("images", r => List(r.Images)),
        new("exclude", r => List(r.Exclude)),
        new("path", r => $"{r.Path}"),
        new("apiRoot", r => $"/{r.ApiRoot}"),
        new("ns", r => Word(r.SendsNamespace)),
        new("pullFromMirror", r => RegistryReader.WordOf(r.PullFromMirror)),
    ];

    private static string Word(bool value) => value ? "true" : "false";

    private static string List(IEnumerable<ImagePattern> patterns) => $"[{string.Join(", ", patterns)}]";
}
