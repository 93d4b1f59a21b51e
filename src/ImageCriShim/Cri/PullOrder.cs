using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// In which order the candidates of a decision are pulled, by a caller with or without a secret of its own. The name as given never comes
/// before a registry that said "found": a namesake elsewhere would run in the image's place.
/// </summary>
internal static class PullOrder
{
    /// <param name="decision">What to pull, as far as the registries are concerned.</param>
    /// <param name="hasSecret">
    /// The caller sent a credential along: a registry that denied us, but takes pull secrets, is asked with it, in its place by priority.
    /// </param>
    /// <param name="isStalled">Its registry is tried after all others, but before the name as given.</param>
    internal static IReadOnlyList<Candidate> Of(Decision decision, bool hasSecret, Func<Candidate, bool> isStalled)
    {
        var known = decision.Probes
            .Where(probe => probe.Result is ProbeResult.Found || (hasSecret && IsWorthASecret(probe)))
            .Select(probe => probe.Candidate)
            .ToList();
        var all = known.Concat(decision.ToPull.Where(candidate => !known.Contains(candidate))).ToList();
        return [.. all.OrderBy(candidate => IsLast(decision, candidate)).ThenBy(isStalled)];
    }

    /// <summary>
    /// Whether it is to be found out afresh who has the image before this candidate is pulled: a remembered answer has led to registries
    /// that do not have it any more, and the host that the image names may be out of the node's reach. A registry that sends no data may
    /// have it still.
    /// </summary>
    internal static bool IsToBeAskedFirst(Decision decision, Candidate next, Func<Candidate, bool> isStalled) =>
        decision.Kind is DecisionKind.Found && IsLast(decision, next)
        && !decision.Probes.Where(probe => probe.Result is ProbeResult.Found).All(probe => isStalled(probe.Candidate));

    /// <summary>A configured registry may be the host that the image names: it has its place by priority.</summary>
    private static bool IsLast(Decision decision, Candidate candidate) =>
        candidate.IsAsGiven && decision.Probes.All(probe => probe.Candidate != candidate);

    private static bool IsWorthASecret(ProbeReport probe) => probe.Result is ProbeResult.Denied && PullRequest.TakesCallers(probe.Candidate);
}
