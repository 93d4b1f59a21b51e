using System.Collections.Immutable;
using System.Net;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Configuration;

/// <summary>Checked settings, in force or about to be. Immutable: a reload replaces the whole object.</summary>
internal sealed record ShimSettings
{
    /// <summary>Our socket.</summary>
    public string ShimSocket { get; init; } = "/var/run/image-cri-shim.sock";

    /// <summary>The runtime's socket; null: to be found among the well-known ones.</summary>
    public string? RuntimeSocket { get; init; }

    /// <summary>All registries, the offline one among them, in the order in which their answers count.</summary>
    public required ImmutableArray<Registry> Registries { get; init; }

    /// <summary>Start although the runtime is not there yet.</summary>
    public bool Force { get; init; }
    public bool Debug { get; init; }

    /// <summary>Bounds an edited call that came without a deadline.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(15);
    public TimeSpan ReloadInterval { get; init; } = TimeSpan.FromSeconds(15);
    public string StateDirectory { get; init; } = "/var/lib/image-cri-shim";
    public CriVersion Version { get; init; }
    public CacheSettings Cache { get; init; } = new();

    /// <summary>Never fall back to the name as given.</summary>
    public bool OfflineOnly { get; init; }

    /// <summary>An image that is pinned by digest may come by its tag where the digest is nowhere, once and with a warning.</summary>
    public bool DigestFallback { get; init; }

    /// <summary>A pull is answered with the image on the node where every registry is down.</summary>
    public bool ServeLocal { get; init; } = true;

    /// <summary>What images are called in answers that list them.</summary>
    public ShownNames Names { get; init; }
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where metrics and health are served over HTTP; null: nowhere.</summary>
    public IPEndPoint? Metrics { get; init; } = new(IPAddress.Loopback, 9464);

    /// <summary>Never rewritten.</summary>
    public ImmutableArray<ImagePattern> Exclude { get; init; } = [];

    /// <summary>Refused.</summary>
    public ImmutableArray<ImagePattern> Block { get; init; } = [];

    /// <summary>Whether the same would be asked for any image, as the same accounts, and in the same order.</summary>
    public bool HasSameRegistries(ShimSettings other) =>
        Registries.Length == other.Registries.Length && Registries.Zip(other.Registries).All(pair => pair.First.IsSameAs(pair.Second));

    /// <summary>The same settings, with the sources of credentials that are in force, and what they remember, where nothing has changed.</summary>
    public ShimSettings Keeping(ShimSettings inForce)
    {
        var sources = inForce.Registries.Select(registry => registry.Credentials).OfType<CredentialSource>().ToList();
        return this with
        {
            Registries = [.. Registries.Select(registry => registry with { Credentials = sources.Find(source => source.IsSameAs(registry.Credentials)) ?? registry.Credentials })],
        };
    }

    public Registry Offline => Registries.First(registry => registry.IsOffline);
}

/// <summary>The CRI version that the runtime is spoken to in.</summary>
internal enum CriVersion
{
    Auto,
    V1,
    V1Alpha2,
}

/// <summary>How an image that came by another name than was asked for is shown.</summary>
internal enum ShownNames
{
    /// <summary>By the name that was asked for.</summary>
    Original,

    /// <summary>By both.</summary>
    Both,

    /// <summary>As the runtime has it.</summary>
    Actual,
}

/// <summary>How long answers of registries are believed, and how many images they are kept for.</summary>
internal sealed record CacheSettings
{
    /// <summary>0: nothing is kept.</summary>
    public int ImageCacheSize { get; init; } = 1024;
    public TimeSpan ImageCacheTtl { get; init; } = TimeSpan.FromMinutes(30);
    public TimeSpan MissTtl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Null: no statistics in the log.</summary>
    public TimeSpan? StatsLogInterval { get; init; } = TimeSpan.FromSeconds(60);
}
