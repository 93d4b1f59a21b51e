using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Removes an image under the name that the runtime has it by; the same look-up as <see cref="ImageStatusCall"/>. Removing means the whole image,
/// whatever other names it has, as containerd does: cri-dockerd says OK to a name and keeps the image, CRI-O takes that one name off. So the runtime
/// is asked once more, and what it still has is removed by its ID. Only what is gone is forgotten.
/// </summary>
internal sealed class RemoveImageCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private static readonly StreamAnswer s_done = StreamAnswer.Ok(GrpcMessage.Frame([]));

    private NamesOfImage _names = new(null, [], IsRewritten: false);

    protected override Verdict DecideName()
    {
        _names = Environment.OtherNames.Of(Image);
        return _names.Others.Count == 0 && Environment.Record.Snapshot.Count == 0 && Environment.Runtime.RemovesWholeImages
            ? Verdict.Forward
            : Verdict.Answer;
    }

    protected override Verdict DecideId()
    {
        _names = new NamesOfImage(null, [.. ImageId.Spell(Image).Skip(1)], IsRewritten: false);
        return Environment.Record.Snapshot.Count == 0 ? Verdict.Forward : Verdict.Answer;
    }

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        var (name, found) = await Find(cancellation);
        var reply = await Remove(name, cancellation);
        if (found.Image is not { } image)
            return EndWithoutImage(reply, found.IsKnown);
        if (!reply.Status.IsOk)
            return reply.ToAnswer();
        reply = await RemoveRest(name, image, cancellation) ?? reply;
        if (reply.Status.IsOk && name != Image && !ImageId.IsId(name))
            Log.RemovedUnderCandidate(Environment.Log, Image, name);
        return reply.ToAnswer();
    }

    /// <summary>The name as given where the runtime has it, or has the image under no name at all: removing is idempotent.</summary>
    private async Task<(string Name, LookUpResult Found)> Find(CancellationToken cancellation)
    {
        var (spec, isKnown) = (CriMessages.GetSpec(Request.Span), true);
        foreach (var name in _names.Others.Prepend(Image))
        {
            var found = await LookUp(spec, name, cancellation);
            if (found.Image is not null)
                return (name, found);
            isKnown &= found.IsKnown;
        }

        return (Image, new LookUpResult(null, isKnown));
    }

    private Task<RuntimeReply> Remove(string name, CancellationToken cancellation)
    {
        var request = name == Image ? Request.ToArray() : CriMessages.WithImage(Request.Span, name);
        return Call(request, EchoedNames.Of(name, Image), SentSecrets.None, cancellation);
    }

    /// <summary>The runtime had it by no name. What is not there is removed, also for a runtime that cannot read the name.</summary>
    /// <param name="isKnown">The runtime has answered for each of the names.</param>
    private StreamAnswer EndWithoutImage(RuntimeReply reply, bool isKnown)
    {
        var isUnreadable = isKnown && reply.Status.MayBeAboutTheName && _names.IsRewritten;
        if (isKnown && (reply.Status.IsOk || isUnreadable))
            Environment.Record.Forget([.. Environment.Record.Snapshot.Where(pull => pull.IsNamed(Image) || pull.HasId(Image))]);
        return isUnreadable ? s_done : reply.ToAnswer();
    }

    /// <summary>Removes by its ID what the runtime still has, and forgets it when it is gone.</summary>
    /// <param name="name">By which it was removed.</param>
    /// <param name="image">What the runtime had by that name.</param>
    /// <returns>The runtime's reply; null where nothing was left.</returns>
    private async Task<RuntimeReply?> RemoveRest(string name, RuntimeImage image, CancellationToken cancellation)
    {
        var spec = CriMessages.GetSpec(Request.Span);
        var left = await LookUp(spec, image.Id, cancellation);
        RuntimeReply? reply = null;
        if (left.Image is not null && image.Id != name)
        {
            reply = await Remove(image.Id, cancellation);
            left = reply.Status.IsOk ? await LookUp(spec, image.Id, cancellation) : left;
        }

        if (left is { Image: null, IsKnown: true })
            Environment.Record.Forget([Image, name, .. image.Tags, .. image.Digests, image.Id]);
        return reply;
    }
}
