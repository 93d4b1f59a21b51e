using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>Removes an image under the name that the runtime has it by; the same look-up as <see cref="ImageStatusCall"/>.</summary>
internal sealed class RemoveImageCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    protected override Verdict Decide() =>
        Environment.Resolver.Candidates(Image) is [{ IsAsGiven: true }] ? Verdict.Forward : Verdict.Answer;

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        var name = await FindName(cancellation);
        var request = name == Image ? Request.ToArray() : CriMessages.WithImage(Request.Span, name);
        var reply = await Call(request, cancellation);
        if (name != Image && reply.Status.IsOk)
            Log.RemovedUnderCandidate(Environment.Log, Image, name);
        return reply.ToAnswer();
    }

    /// <summary>The name as given where the runtime has it, or has the image under no name at all: removing is idempotent.</summary>
    private async Task<string> FindName(CancellationToken cancellation)
    {
        if (await FindLocal(Image, cancellation) is not null)
            return Image;
        foreach (var candidate in Environment.Resolver.Candidates(Image))
        {
            if (!candidate.IsAsGiven && await FindLocal(candidate.Image, cancellation) is not null)
                return candidate.Image;
        }

        return Image;
    }
}
