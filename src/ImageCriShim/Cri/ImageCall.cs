using ImageCriShim.Images;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>An edited call whose request names one image.</summary>
internal abstract class ImageCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    /// <summary>The image as given: a name, or an ID.</summary>
    protected string Image { get; private set; } = "";

    protected sealed override Verdict Decide()
    {
        Image = GetImage(Request.Span);
        return Image.Length == 0 ? DecideNone() : ImageId.IsId(Image) ? DecideId() : DecideName();
    }

    /// <exception cref="MalformedMessageException"/>
    protected virtual string GetImage(ReadOnlySpan<byte> request) => CriMessages.GetImage(request);

    /// <summary>The request has a name in it: what is to be done?</summary>
    protected abstract Verdict DecideName();

    /// <summary>The request has an ID in it, which is never treated as a name.</summary>
    protected virtual Verdict DecideId() => Verdict.Forward;

    protected virtual Verdict DecideNone() => Verdict.Forward;
}
