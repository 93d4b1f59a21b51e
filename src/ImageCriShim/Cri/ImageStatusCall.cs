using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Local first, no network ever: the runtime is asked as given, on the caller's own stream; only if it has nothing, it is asked for
/// the name that the image was pulled by, and for each name that a registry would have it under. The first answer that has an image is the answer.
/// </summary>
internal sealed class ImageStatusCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    private IReadOnlyList<string> _otherNames = [];

    internal override bool Accepts(HeldAnswer answer)
    {
        try
        {
            // An error is the runtime's answer as well; one that cannot be read is not ours to judge.
            return !GrpcMessage.TryReadOnly(answer.Body, answer.FindEncoding, out var message) || CriMessages.HasImage(message.Span);
        }
        catch (MalformedMessageException)
        {
            return true;
        }
    }

    protected override Verdict Decide()
    {
        _otherNames = FindOtherNames();
        return _otherNames.Count == 0 ? Verdict.Forward : Verdict.Watch;
    }

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        foreach (var name in _otherNames)
        {
            var reply = await Call(CriMessages.WithImage(Request.Span, name), cancellation);
            if (!reply.Status.IsOk || !CriMessages.HasImage(reply.Message.Span))
                continue;
            Log.FoundUnderCandidate(Environment.Log, Image, name);
            return reply.ToAnswer();
        }

        return null;
    }
}
