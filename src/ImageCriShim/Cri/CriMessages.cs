using System.Text;

namespace ImageCriShim.Cri;

/// <summary>
/// The fields that we understand of runtime.v1 and runtime.v1alpha2, which share their numbers
/// (k8s.io/cri-api/pkg/apis/runtime/v1/api.proto).
/// </summary>
internal static class CriMessages
{
    /// <summary>ImageStatusRequest.image, PullImageRequest.image, RemoveImageRequest.image: an ImageSpec.</summary>
    internal const int RequestImage = 1;

    /// <summary>ImageSpec.image: a name or an ID.</summary>
    private const int SpecImage = 1;

    /// <summary>ImageStatusResponse.image: absent where the runtime has no such image.</summary>
    private const int ResponseImage = 1;

    /// <summary>PullImageResponse.image_ref: the image's ID, or for some runtimes a name with a digest.</summary>
    private const int ResponseImageRef = 1;

    /// <summary>Image.id and Image.repo_digests.</summary>
    private const int ImageId = 1;
    private const int ImageRepoDigests = 3;

    /// <exception cref="MalformedMessageException"/>
    internal static string GetImage(ReadOnlySpan<byte> request) =>
        ProtoMessage.GetString(ProtoMessage.GetMessage(request, RequestImage), SpecImage);

    /// <summary>The request for another image; the rest of its ImageSpec (annotations, runtime_handler, ...) stays.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] WithImage(ReadOnlySpan<byte> request, string image)
    {
        var spec = ProtoMessage.GetMessage(request, RequestImage);
        return ProtoMessage.With(request, RequestImage, ProtoMessage.With(spec, SpecImage, image));
    }

    /// <summary>The request's ImageSpec and nothing else of it: what one method's request has in common with another's.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] OnlyImage(ReadOnlySpan<byte> request) =>
        ProtoMessage.With([], RequestImage, ProtoMessage.GetMessage(request, RequestImage));

    /// <summary>Empty where there is none.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static string GetImageRef(ReadOnlySpan<byte> pullImageResponse) => ProtoMessage.GetString(pullImageResponse, ResponseImageRef);

    internal static byte[] MakePullImageResponse(string imageRef) => ProtoMessage.With([], ResponseImageRef, imageRef);

    /// <summary>The image of an ImageStatusResponse; null where the runtime has none.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static RuntimeImage? FindImage(ReadOnlySpan<byte> imageStatusResponse)
    {
        if (!HasImage(imageStatusResponse))
            return null;
        var image = ProtoMessage.GetMessage(imageStatusResponse, ResponseImage);
        var digests = new List<string>();
        for (var fields = new ProtoReader(image); fields.Next();)
        {
            if (fields.Number == ImageRepoDigests)
                digests.Add(Encoding.UTF8.GetString(fields.Value));
        }

        return new RuntimeImage(ProtoMessage.GetString(image, ImageId), digests);
    }

    /// <exception cref="MalformedMessageException"/>
    internal static bool HasImage(ReadOnlySpan<byte> imageStatusResponse) =>
        ProtoMessage.TryFind(imageStatusResponse, ResponseImage, out _);
}

/// <summary>An image as the runtime tells of it.</summary>
/// <param name="Id">Without an algorithm in front where the runtime leaves it out (CRI-O).</param>
/// <param name="Digests">Its names with digests.</param>
internal sealed record RuntimeImage(string Id, IReadOnlyList<string> Digests)
{
    /// <summary>Whether <paramref name="imageRef"/>, what a pull was answered with, is this image.</summary>
    internal bool Is(string imageRef) => imageRef == Id || imageRef == $"sha256:{Id}" || Digests.Contains(imageRef);
}
