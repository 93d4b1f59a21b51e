using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Local first, no network ever: the runtime is asked as given, on the caller's own stream; only if it has nothing, it is asked for
/// the name that the image was pulled by, and for each name that a registry would have it under. The first answer that has an image is the answer.
/// </summary>
internal class ImageStatusCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private IReadOnlyList<string> _otherNames = [];
    private RecordedPull? _recorded; // before the runtime is asked for it

    protected override Verdict DecideName() => Verdict.Watch;

    protected override Verdict DecideId() => Environment.Settings.Names is ShownNames.Actual ? Verdict.Forward : Verdict.Watch;

    protected override Reply OnAnswer(ReadOnlySpan<byte> message)
    {
        if (CriMessages.HasImage(message))
            return Environment.RestoredNames.InImages(message) is { } restored ? Reply.With(restored) : Reply.AsItCame;
        if (Image.Length == 0 || ImageId.IsId(Image))
            return Reply.AsItCame;
        _recorded = Environment.Record.Find(Image);
        _otherNames = FindOtherNames(Image);
        return _otherNames.Count == 0 ? Reply.AsItCame : Reply.Ours;
    }

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        foreach (var name in _otherNames)
        {
            var reply = await Call(Rename(Request.Span, name), cancellation);
            if (!reply.Status.IsOk)
                continue;
            if (CriMessages.HasImage(reply.Message.Span))
            {
                Log.FoundUnderCandidate(Environment.Log, Image, name);
                return reply.ToAnswer(FoundBy(Image, name).InImages(reply.Message.Span));
            }

            if (_recorded?.Actual == name)
                Environment.Record.Forget([_recorded]);
        }

        return null;
    }

    /// <summary>The request for another image.</summary>
    /// <exception cref="MalformedMessageException"/>
    protected virtual byte[] Rename(ReadOnlySpan<byte> request, string name) => CriMessages.WithImage(request, name);
}
