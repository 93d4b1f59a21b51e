using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>One try to have the runtime pull a candidate.</summary>
internal sealed record PullAttempt(Candidate Candidate, RuntimeReply Reply);

/// <summary>
/// The one error of a pull that failed everywhere; <c>kubectl describe pod</c> shows it. It says what was asked and pulled, where, and
/// why each failed.
/// </summary>
internal static class PullFailure
{
    /// <summary>
    /// kubelet gives the pod a reason of its own (evalCRIPullErr) where an error's text begins with this; and that is the bare message
    /// only where the code is UNKNOWN, before any other it writes the code (pullImageV1).
    /// </summary>
    private const string RegistryUnavailable = "RegistryUnavailable: ";

    internal static GrpcStatus Describe(Decision decision, IReadOnlyList<PullAttempt> attempts)
    {
        var story = decision.Probes.Where(probe => !attempts.Any(attempt => attempt.Candidate == probe.Candidate)).Select(Describe)
            .Concat(attempts.Select(Describe));
        var message = $"image {decision.Image} could not be pulled: {string.Join("; ", story)}";
        return decision.IsForLackOfRegistries
            ? new GrpcStatus(StatusCode.Unknown, RegistryUnavailable + message)
            : new GrpcStatus(CodeOf(attempts), message);
    }

    private static StatusCode CodeOf(IReadOnlyList<PullAttempt> attempts) =>
        attempts.MaxBy(attempt => Progress(attempt.Reply.Status.Code))?.Reply.Status.Code ?? StatusCode.NotFound;

    private static string Describe(ProbeReport probe) => $"{probe.Candidate.Image} {probe.Result switch
    {
        null => "was not asked for",
        ProbeResult.Missing { Remark: null } => "is not there",
        var result => $"{result}",
    }}";

    private static string Describe(PullAttempt attempt) =>
        $"{attempt.Candidate.Image}{(attempt.Candidate.IsAsGiven ? " (as given)" : "")}: {attempt.Reply.Status.Message}";

    /// <summary>How far the runtime came: it called no registry, was told "not there", was refused or cut off, had the manifest.</summary>
    private static int Progress(StatusCode code) => code switch
    {
        StatusCode.Unavailable => 0,
        StatusCode.NotFound => 1,
        StatusCode.Unknown or StatusCode.DeadlineExceeded => 2,
        _ => 3,
    };
}
