using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Removes an image under the name that the runtime has it by; the same look-up as <see cref="ImageStatusCall"/>. What was recorded of
/// it is forgotten: a runtime removes an image with all its names.
/// </summary>
internal sealed class RemoveImageCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    private IReadOnlyList<string> _otherNames = [];

    internal override bool Accepts(HeldAnswer answer)
    {
        if (GrpcMessage.TryReadOnly(answer.Body, answer.FindEncoding, out _)) // an error comes without a message
            Environment.Record.Forget(Image);
        return true;
    }

    protected override Verdict Decide()
    {
        _otherNames = FindOtherNames();
        return _otherNames.Count == 0 && FindRecorded() is null ? Verdict.Forward : Verdict.Answer;
    }

    protected override Verdict DecideId() => Verdict.Watch;

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        var (name, image) = await Find(cancellation);
        var request = name == Image ? Request.ToArray() : CriMessages.WithImage(Request.Span, name);
        var reply = await Call(request, cancellation);
        if (!reply.Status.IsOk)
            return reply.ToAnswer();
        Environment.Record.Forget([Image, name, .. image is null ? [] : image.Digests.Append(image.Id)]);
        if (name != Image)
            Log.RemovedUnderCandidate(Environment.Log, Image, name);
        return reply.ToAnswer();
    }

    /// <summary>The name as given where the runtime has it, or has the image under no name at all: removing is idempotent.</summary>
    private async Task<(string Name, RuntimeImage? Image)> Find(CancellationToken cancellation)
    {
        foreach (var name in _otherNames.Prepend(Image))
        {
            if (await FindLocal(name, cancellation) is { } image)
                return (name, image);
        }

        return (Image, null);
    }
}
