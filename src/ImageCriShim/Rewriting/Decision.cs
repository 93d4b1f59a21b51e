using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

internal enum DecisionKind
{
    /// <summary>A registry has the image.</summary>
    Found,

    /// <summary>No registry has it, or none was to be asked: the name as given is left.</summary>
    AsGiven,

    /// <summary>No registry has it, and <c>offlineOnly</c> forbids the name as given.</summary>
    Nowhere,

    /// <summary>
    /// The settings forbid it (<see cref="ImagePolicy"/>): the caller is refused with PERMISSION_DENIED and <see cref="Decision.Reason"/>.
    /// </summary>
    Blocked,
}

/// <summary>What to pull for an image, and why.</summary>
/// <param name="Image">As the caller gave it.</param>
/// <param name="Kind">How it came out.</param>
/// <param name="ToPull">
/// What to try, in this order: the registries that have it, by priority; those whose answer was not waited for, by priority; those that are well
/// and were too late with it; the name as given, unless <c>offlineOnly</c>. Registries that said missing, denied or throttled are left out, and so are
/// other unreachable ones: a runtime would wait half a minute for each.
/// </param>
/// <param name="Probes">Every registry that was to be asked, by priority, with its answer.</param>
/// <param name="Reason">One line for the log and for people.</param>
/// <param name="FromCache">An answer that it rests on was remembered. If nothing of it can be pulled: <see cref="Resolver.Forget"/>, resolve again.</param>
internal sealed record Decision(
    string Image, DecisionKind Kind, IReadOnlyList<Candidate> ToPull, IReadOnlyList<ProbeReport> Probes, string Reason, bool FromCache)
{
    /// <summary>No registry has it and at least one could not be asked: trying again later may help.</summary>
    public bool IsForLackOfRegistries =>
        Kind != DecisionKind.Found && Probes.Any(probe => probe.Result is ProbeResult.Unreachable);
}

/// <summary>One line of what was asked.</summary>
/// <param name="Candidate">Whom, and under which name.</param>
/// <param name="Result">
/// Null: a higher registry has the image, so this answer was not waited for. Of a registry that is set aside it is
/// <see cref="ProbeResult.Unreachable"/> and says so.
/// </param>
internal sealed record ProbeReport(Candidate Candidate, ProbeResult? Result)
{
    public override string ToString() => $"{Candidate.Registry?.Host} {Result?.ToString() ?? "not waited for"}";
}
