using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Removes an image under the name that the runtime has it by; the same look-up as <see cref="ImageStatusCall"/>. What was recorded of
/// it is forgotten: a runtime removes an image with all its names.
/// </summary>
internal sealed class RemoveImageCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private IReadOnlyList<string> _otherNames = [];

    protected override Verdict DecideName()
    {
        _otherNames = Environment.OtherNames.Of(Image).Others;
        return _otherNames.Count == 0 && Environment.Record.Snapshot.Count == 0 ? Verdict.Forward : Verdict.Answer;
    }

    protected override Verdict DecideId() => Verdict.Watch;

    protected override Reply OnAnswer(ReadOnlySpan<byte> message)
    {
        Environment.Record.Forget(Image);
        return Reply.AsItCame;
    }

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        var (name, image) = await Find(cancellation);
        var request = name == Image ? Request.ToArray() : CriMessages.WithImage(Request.Span, name);
        var reply = await Call(request, EchoedNames.Of(name, Image), SentSecrets.None, cancellation);
        if (!reply.Status.IsOk)
            return reply.ToAnswer();
        Environment.Record.Forget([Image, name, .. image is null ? [] : image.Tags.Concat(image.Digests).Append(image.Id)]);
        if (name != Image)
            Log.RemovedUnderCandidate(Environment.Log, Image, name);
        return reply.ToAnswer();
    }

    /// <summary>The name as given where the runtime has it, or has the image under no name at all: removing is idempotent.</summary>
    private async Task<(string Name, RuntimeImage? Image)> Find(CancellationToken cancellation)
    {
        var spec = CriMessages.GetSpec(Request.Span);
        foreach (var name in _otherNames.Prepend(Image))
        {
            if (await FindLocal(spec, name, cancellation) is { } image)
                return (name, image);
        }

        return (Image, null);
    }
}
