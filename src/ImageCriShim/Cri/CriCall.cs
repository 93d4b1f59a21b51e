using ImageCriShim.Images;
using ImageCriShim.Relay;

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
            return Image.Length == 0 || ImageId.IsId(Image) ? Verdict.Forward : Decide();
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

    /// <inheritdoc cref="EditedCall.Answer"/>
    protected abstract Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation);

    /// <summary>The same method once more, with another message.</summary>
    protected Task<RuntimeReply> Call(byte[] message, CancellationToken cancellation) =>
        Environment.Runtime.Call(head, message, Remaining, cancellation);

    /// <summary>Whether the runtime has an image under this name.</summary>
    protected async Task<RuntimeReply?> FindLocal(string image, CancellationToken cancellation)
    {
        var status = head with { Path = string.Concat(head.Path.AsSpan(0, head.Path.LastIndexOf('/') + 1), "ImageStatus") };
        var request = CriMessages.WithImage([], image);
        var reply = await Environment.Runtime.Call(status, request, Remaining, cancellation);
        return reply.Status.IsOk && CriMessages.HasImage(reply.Message.Span) ? reply : null;
    }
}
