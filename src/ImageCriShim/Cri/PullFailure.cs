using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

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

    /// <summary>Likewise: CRI-O refuses an image by its policy.</summary>
    private const string SignatureValidationFailed = "SignatureValidationFailed: ";

    /// <summary>An event's text is cut at 1024 characters; kubelet writes the image and the code in front of ours.</summary>
    private const int MaxLength = 1024 - 256;

    /// <param name="outcome">Of the image as given.</param>
    /// <param name="byTag">Of its tag instead, where that was tried.</param>
    internal static GrpcStatus Describe(PullOutcome outcome, PullOutcome? byTag)
    {
        var story = Tell(outcome);
        if (byTag is not null)
            story.AddRange(Tell(byTag).Select(part => part with { Text = $"by its tag: {part.Text}" }));
        var furthest = FindFurthest(outcome, byTag)?.Status;
        var reason = FindReason(outcome.Decision, furthest);
        var message = $"{reason}image {outcome.Decision.Image} could not be pulled: ";
        message += Join(story, MaxLength - message.Length);
        var code = reason.Length > 0 ? StatusCode.Unknown : furthest?.Code ?? StatusCode.NotFound;
        return new GrpcStatus(code, PrintableText.Of(message));
    }

    /// <summary>The runtime's reply to the attempt that came furthest, which gives the code and the details.</summary>
    internal static RuntimeReply? FindFurthest(PullOutcome outcome, PullOutcome? byTag) =>
        outcome.Attempts.Concat(byTag?.Attempts ?? []).MaxBy(attempt => Progress(attempt.Reply.Status))?.Reply;

    /// <summary>What kubelet is to find in front of the text; empty where there is nothing for it.</summary>
    private static string FindReason(Decision decision, GrpcStatus? furthest) => furthest switch
    {
        not null when Has(furthest, SignatureValidationFailed) => SignatureValidationFailed,
        not null when Has(furthest, RegistryUnavailable) => RegistryUnavailable,
        _ => decision.IsForLackOfRegistries ? RegistryUnavailable : "",
    };

    private static bool Has(GrpcStatus status, string reason) => status.Message.StartsWith(reason, StringComparison.Ordinal);

    private static List<Part> Tell(PullOutcome outcome)
    {
        var (decision, attempts) = (outcome.Decision, outcome.Attempts);
        var story = decision.Probes.Where(probe => attempts.All(attempt => attempt.Candidate != probe.Candidate)).Select(Describe)
            .Concat(attempts.Select(Describe))
            .ToList();
        if (outcome.Local is { Remark: { } remark })
            story.Add(new Part(remark));
        if (decision.Kind is DecisionKind.Nowhere)
            story.Add(new Part("it is not pulled as given (offlineOnly)"));
        return story;
    }

    private static Part Describe(ProbeReport probe)
    {
        var name = Shorten.Name(probe.Candidate.Image);
        return probe.Result switch
        {
            null => new Part($"{name} was not asked for"),
            ProbeResult.Missing { Remark: null } => new Part($"{name} is not there", IsRoutine: true),
            var result => new Part($"{name} {result}"),
        };
    }

    private static Part Describe(PullAttempt attempt)
    {
        var candidate = attempt.Candidate;
        var name = $"{Shorten.Name(candidate.Image)}{(candidate.IsAsGiven ? " (as given)" : "")}";
        var why = Shorten.RuntimeText(attempt.Reply.Status.Message);
        return new Part(attempt.CredentialProblem is { } problem ? $"{name}: {why} ({problem})" : $"{name}: {why}");
    }

    /// <summary>Where there is too much to say, that an image is not there is said last, and only how often.</summary>
    private static string Join(List<Part> story, int room)
    {
        var text = string.Join("; ", story.Select(part => part.Text));
        if (text.Length <= room)
            return text;
        var routine = story.Count(part => part.IsRoutine);
        var others = story.Where(part => !part.IsRoutine).Select(part => part.Text);
        return Shorten.End(string.Join("; ", routine > 1 ? others.Append($"not there at {routine} registries") : story.Select(part => part.Text)), room);
    }

    /// <summary>
    /// How far the runtime came: it called no registry, was told "not there", was refused or cut off, had the manifest. An image whose signature
    /// was refused is what people have to hear of, whatever other registries say.
    /// </summary>
    private static int Progress(GrpcStatus status) => status.Code switch
    {
        _ when Has(status, SignatureValidationFailed) => 4,
        StatusCode.Unavailable => 0,
        StatusCode.NotFound => 1,
        StatusCode.Unknown or StatusCode.DeadlineExceeded => 2,
        _ => 3,
    };

    /// <param name="Text">One registry's part of the story.</param>
    /// <param name="IsRoutine">It does not have the image: nothing that anybody could mend there.</param>
    private readonly record struct Part(string Text, bool IsRoutine = false);
}
