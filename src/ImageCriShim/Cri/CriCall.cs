using ImageCriShim.Images;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>An edited call of the image service: its request read, its deadline kept.</summary>
internal abstract class CriCall(CallEnvironment environment, CallerHead head) : EditedCall
{
    // A timer cannot be set to more than 49 days; a caller may well allow more.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(30);

    private readonly long _begin = environment.Time.GetTimestamp();

    protected CallEnvironment Environment { get; } = environment;

    /// <summary>The image as given: a name, or an ID.</summary>
    protected string Image { get; private set; } = "";

    /// <summary>The request's message, inflated.</summary>
    protected ReadOnlyMemory<byte> Request { get; private set; }

    protected TimeSpan Elapsed => Environment.Time.GetElapsedTime(_begin);

    private TimeSpan Remaining => (head.Timeout ?? Environment.Settings.Timeout) - Elapsed;

    internal sealed override Verdict OnRequest(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!GrpcMessage.TryReadOnly(body, () => head.Encoding, out var message))
                return Verdict.Forward;
            Request = message;
            Image = CriMessages.GetImage(message.Span);
            return Image.Length == 0 ? Verdict.Forward : ImageId.IsId(Image) ? DecideId() : Decide();
        }
        catch (MalformedMessageException)
        {
            return Verdict.Forward; // the runtime's own error is the right one
        }
    }

    internal sealed override async Task<StreamAnswer?> Answer(CancellationToken cancellation)
    {
        var remaining = TimeSpan.FromTicks(Math.Clamp(Remaining.Ticks, 0, s_longestTimer.Ticks));
        using var deadline = new CancellationTokenSource(remaining, Environment.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            return await AnswerInTime(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new GrpcStatus(StatusCode.DeadlineExceeded, "context deadline exceeded").ToAnswer();
        }
    }

    /// <summary>The request has a name in it: what is to be done?</summary>
    protected abstract Verdict Decide();

    /// <summary>The request has an ID in it, which is never treated as a name.</summary>
    protected virtual Verdict DecideId() => Verdict.Forward;

    /// <inheritdoc cref="EditedCall.Answer"/>
    protected abstract Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation);

    /// <summary>The same method once more, with another message.</summary>
    protected Task<RuntimeReply> Call(byte[] message, CancellationToken cancellation) =>
        Environment.Runtime.Call(head, message, Remaining, cancellation);

    /// <summary>
    /// What else the runtime may have the image by, without asking anybody: the name that it was pulled by, then its name at each
    /// registry, most wanted first.
    /// </summary>
    protected IReadOnlyList<string> FindOtherNames()
    {
        var recorded = FindRecorded() is { } pull ? [pull.Actual] : Array.Empty<string>();
        var candidates = Environment.Resolver.Candidates(Image).Where(candidate => !candidate.IsAsGiven).Select(candidate => candidate.Image);
        return [.. recorded.Concat(candidates).Distinct().Where(name => name != Image)];
    }

    /// <summary>The last pull of the image. One that dropped the digest counts for as long as <c>digestFallback</c> allows that.</summary>
    protected RecordedPull? FindRecorded() =>
        Environment.Record.Find(Image) is { } pull && (pull.HasDigestAsGiven || Environment.Settings.DigestFallback) ? pull : null;

    /// <summary>The image that the runtime has by this name; null where it has none or does not say.</summary>
    protected async Task<RuntimeImage?> FindLocal(string image, CancellationToken cancellation)
    {
        var status = head with { Path = string.Concat(head.Path.AsSpan(0, head.Path.LastIndexOf('/') + 1), "ImageStatus") };
        var request = CriMessages.WithImage(CriMessages.OnlyImage(Request.Span), image);
        var reply = await Environment.Runtime.Call(status, request, Remaining, cancellation);
        return reply.Status.IsOk ? CriMessages.FindImage(reply.Message.Span) : null;
    }
}
