using ImageCriShim.Configuration;
using ImageCriShim.Metrics;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Cri;

/// <summary>What an edited call works with. Immutable: a reload makes a new one, and a call keeps the one it began with.</summary>
/// <param name="Settings">In force when the call came.</param>
/// <param name="Resolver">Of these settings.</param>
/// <param name="Registries">Whether a host can be connected to at all.</param>
/// <param name="Runtime">For calls of our own.</param>
/// <param name="Record">What was pulled by which name.</param>
/// <param name="Missing">What no registry had.</param>
internal sealed record CallEnvironment(
    ShimSettings Settings,
    Resolver Resolver,
    RegistryClient Registries,
    RuntimeClient Runtime,
    PullRecord Record,
    MissingImages Missing,
    TimeProvider Time,
    ILogger Log)
{
    /// <summary>What a reload does not change.</summary>
    internal CallLimits Limits { get; init; } = new(Time);

    /// <summary>Nor this.</summary>
    internal StalledRegistries Stalled { get; init; } = new(Time);

    /// <summary>Nor this.</summary>
    internal ShimMetrics Metrics { get; init; } = new();

    /// <summary>Nor this.</summary>
    internal RecentPulls Recent { get; init; } = new();

    /// <summary>Where images were found.</summary>
    internal FoundElsewhere Found { get; init; } = new();

    /// <summary>Where to look for them. As the settings are, so a reload makes it anew.</summary>
    internal OtherNames OtherNames { get; private init; } = new(Resolver, Record, Settings.DigestFallback);

    /// <summary>With other settings, and all else that is kept over a reload: connections, who is set aside, what is known of images.</summary>
    internal CallEnvironment With(ShimSettings settings)
    {
        var resolver = Resolver.With(settings);
        return this with
        {
            Settings = settings,
            Resolver = resolver,
            OtherNames = new(resolver, Record, settings.DigestFallback),
            Found = settings.HasSameRegistries(Settings) ? Found : new(), // a name that no registry accounts for any more is none
        };
    }

    /// <summary>Which images calls may not name.</summary>
    internal ImagePolicy Policy => Resolver.Policy;

    /// <summary>How images are shown.</summary>
    internal RestoredNames RestoredNames => new(Settings.Names, Record.Names, Runtime.WritesShortNames);
}
