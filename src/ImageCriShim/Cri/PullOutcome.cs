using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>One try to have the runtime pull a candidate.</summary>
/// <param name="Candidate">What.</param>
/// <param name="With">With whose credential.</param>
/// <param name="CredentialProblem">Why there was none although there should have been.</param>
/// <param name="Reply">What the runtime said.</param>
internal sealed record PullAttempt(Candidate Candidate, PulledWith With, string? CredentialProblem, RuntimeReply Reply)
{
    /// <summary>One that nobody waits for any more.</summary>
    internal static PullAttempt Unfinished(Candidate candidate) => new(
        candidate, PulledWith.Nothing, null, new RuntimeReply(new GrpcStatus(StatusCode.DeadlineExceeded, "context deadline exceeded"), default, [], []));
}

/// <summary>What became of pulling by one name.</summary>
/// <param name="Decision">What was known of the registries.</param>
/// <param name="Attempts">What was tried; the last one is the one that came through, if any did.</param>
/// <param name="Local">What was found out about the image on the node, where every registry is down.</param>
internal sealed record PullOutcome(Decision Decision, IReadOnlyList<PullAttempt> Attempts, LocalAnswer? Local)
{
    /// <summary>Whether the last attempt, which is not among them, was ended because its registry is down: the others are to be asked.</summary>
    internal bool IsLeft { get; init; }

    /// <summary>The pull that brought the image.</summary>
    internal PullAttempt? Success => Attempts is [.., { Reply.Status.IsOk: true } last] ? last : null;

    internal bool IsDone => Success is not null || Local is { ImageRef: not null };

    /// <summary>
    /// Every registry that was asked says that it does not have the image, which for a digest means: the archive that it was filled from
    /// has lost it. The name as given counts for nothing here: on a node without the world it always fails.
    /// </summary>
    internal bool IsMissingEverywhere => Decision.Probes.Count > 0 && Decision.Probes.All(probe => probe.Result is ProbeResult.Missing);

    /// <summary>Every registry was to be asked in vain, whatever it may have.</summary>
    internal static bool IsEverythingDown(Decision decision) =>
        decision.Probes.Count > 0 && decision.Probes.All(probe => probe.Result is ProbeResult.Unreachable);
}
