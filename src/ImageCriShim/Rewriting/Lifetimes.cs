using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>How long the answer of a registry is believed (docs/RESOLVING.md).</summary>
internal sealed class Lifetimes(CacheSettings cache)
{
    // Docker Hub may ask for hours. A registry that serves again earlier should be found again, at one HEAD per quarter hour.
    private static readonly TimeSpan s_maxRetryAfter = TimeSpan.FromMinutes(15);

    public TimeSpan Of(ProbeResult result) => result switch
    {
        ProbeResult.Found => cache.ImageCacheTtl,
        ProbeResult.Missing or ProbeResult.Denied => cache.MissTtl,
        ProbeResult.Throttled { RetryAfter: { } wait } => wait < s_maxRetryAfter ? wait : s_maxRetryAfter,
        ProbeResult.Throttled => cache.MissTtl,
        _ => TimeSpan.Zero, // unreachable: the next pull may be lucky
    };
}
