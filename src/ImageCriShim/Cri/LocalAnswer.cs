using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// What a pull is answered with where every registry is down: the image that is on the node, if this node, and not a pod's secret, paid
/// for it. Nobody gains an image by an outage.
/// </summary>
/// <param name="ImageRef">The answer; null: there is none.</param>
/// <param name="Remark">Why not, for people; null where there is nothing to say.</param>
/// <param name="Pull">How it came.</param>
internal sealed record LocalAnswer(string? ImageRef, string? Remark, RecordedPull? Pull = null)
{
    // A host that is there answers within some milliseconds; where packets get lost, each pull of an outage pays this.
    private static readonly TimeSpan s_connectPatience = TimeSpan.FromMilliseconds(250);

    /// <param name="environment">Settings, record and registries.</param>
    /// <param name="decision">Everything is down.</param>
    /// <param name="recorded">The last pull of the image.</param>
    /// <param name="onNode">What the runtime has by the names that the image may have.</param>
    /// <param name="cancellation">The caller has gone.</param>
    internal static async Task<LocalAnswer> Find(
        CallEnvironment environment, Decision decision, RecordedPull? recorded, IReadOnlyList<RuntimeImage> onNode, CancellationToken cancellation)
    {
        if (onNode.Count == 0)
            return new LocalAnswer(null, null);
        if (WhyNot(environment, recorded, onNode) is { } reason)
            return new LocalAnswer(null, $"the image that is on the node is not used: {reason}");
        var asGiven = decision.ToPull.FirstOrDefault(candidate => candidate.IsAsGiven && decision.Probes.All(probe => probe.Candidate != candidate));
        return asGiven is not null && await CanConnect(environment, asGiven, cancellation)
            ? new LocalAnswer(null, $"the image that is on the node is not used: {asGiven.ServerAddress} can be connected to")
            : new LocalAnswer(recorded!.ImageRef, null, recorded);
    }

    private static string? WhyNot(CallEnvironment environment, RecordedPull? recorded, IReadOnlyList<RuntimeImage> onNode) => recorded switch
    {
        _ when !environment.Settings.ServeLocal => "serveLocal is false",
        null or { With: PulledWith.Unknown } => "it did not come through image-cri-shim by this name, so nobody knows who may have it",
        { IsForEverybody: false } => "it came with a pod's pull secret",
        _ when !onNode.Any(image => image.Is(recorded.ImageRef)) => "it is another one than was pulled",
        _ => null,
    };

    private static async Task<bool> CanConnect(CallEnvironment environment, Candidate asGiven, CancellationToken cancellation) =>
        RegistryAddress.TryParse(asGiven.ServerAddress, out var address, out _)
        && await environment.Registries.CanConnect(address, s_connectPatience, cancellation);
}
