using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>In which order the candidates of a decision are pulled, by a caller with or without a secret of its own.</summary>
internal static class PullOrder
{
    /// <param name="decision">What to pull, as far as the registries are concerned.</param>
    /// <param name="hasSecret">
    /// The caller sent a credential along: a registry that denied us, but takes pull secrets, is asked with it, in its place by priority.
    /// </param>
    /// <param name="stalled">Tried after all others, the name as given among them.</param>
    /// <param name="isLast">
    /// The name as given may be tried. Otherwise the decision is an old one, by which a registry has the image: that is found out afresh
    /// before the runtime waits for a host that may be out of the node's reach.
    /// </param>
    internal static IReadOnlyList<Candidate> Of(Decision decision, bool hasSecret, StalledRegistries stalled, bool isLast)
    {
        var known = decision.Probes.Where(probe => probe.Result is ProbeResult.Found || (hasSecret && IsWorthASecret(probe))).Select(probe => probe.Candidate).ToList();
        var isHeldBack = !isLast && decision.Kind is DecisionKind.Found && !known.TrueForAll(stalled.Contains);
        var others = decision.ToPull.Where(candidate => !known.Contains(candidate) && !(candidate.IsAsGiven && isHeldBack));
        return [.. known.Concat(others).OrderBy(stalled.Contains)];
    }

    private static bool IsWorthASecret(ProbeReport probe) => probe.Result is ProbeResult.Denied && PullRequest.TakesCallers(probe.Candidate);
}
