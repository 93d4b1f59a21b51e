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

    /// <summary>ListImagesRequest.filter, an ImageFilter, whose field 1 is an ImageSpec as well.</summary>
    internal const int RequestFilter = 1;

    /// <summary>ImageSpec.image: a name or an ID.</summary>
    internal const int SpecImage = 1;

    /// <summary>
    /// ImageStatusResponse.image, absent where the runtime has no such image; ListImagesResponse.images; the image of each message of
    /// StreamImages.
    /// </summary>
    internal const int ResponseImage = 1;

    /// <summary>PullImageResponse.image_ref: the image's ID, or for some runtimes a name with a digest.</summary>
    private const int ResponseImageRef = 1;

    /// <summary>Image.id, Image.repo_tags and Image.repo_digests.</summary>
    internal const int ImageId = 1;
    internal const int ImageRepoTags = 2;
    internal const int ImageRepoDigests = 3;

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

    /// <summary>The request's ImageSpec.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] GetSpec(ReadOnlySpan<byte> request) => ProtoMessage.GetMessage(request, RequestImage);

    /// <summary>PullImageRequest.sandbox_config.metadata.namespace; empty where the caller names no pod.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static string GetPodNamespace(ReadOnlySpan<byte> pullImageRequest)
    {
        const int sandboxConfig = 3, metadata = 1, ofMetadata = 3;
        var ofPod = ProtoMessage.GetMessage(ProtoMessage.GetMessage(pullImageRequest, sandboxConfig), metadata);
        return ProtoMessage.GetString(ofPod, ofMetadata);
    }

    /// <summary>An ImageStatusRequest for an image, the rest of its ImageSpec as it is: what one method's request has in common with another's.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] MakeImageStatusRequest(ReadOnlySpan<byte> spec, string image) =>
        ProtoMessage.With([], RequestImage, ProtoMessage.With(spec, SpecImage, image));

    /// <summary>The image that a list is asked for; empty where it is asked for all.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static string GetFilter(ReadOnlySpan<byte> listRequest) => GetImage(ProtoMessage.GetMessage(listRequest, RequestFilter));

    /// <summary>The request for a list of another image.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] WithFilter(ReadOnlySpan<byte> listRequest, string image) =>
        ProtoMessage.With(listRequest, RequestFilter, WithImage(ProtoMessage.GetMessage(listRequest, RequestFilter), image));

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
        return ReadImage(ProtoMessage.GetMessage(imageStatusResponse, ResponseImage));
    }

    /// <exception cref="MalformedMessageException"/>
    internal static IReadOnlyList<RuntimeImage> GetImages(ReadOnlySpan<byte> listImagesResponse)
    {
        var images = new List<RuntimeImage>();
        for (var fields = new ProtoReader(listImagesResponse); fields.Next();)
        {
            if (fields.Number == ResponseImage)
                images.Add(ReadImage(fields.Value));
        }

        return images;
    }

    /// <summary>Whether there is one in an ImageStatusResponse or a list.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static bool HasImage(ReadOnlySpan<byte> response) => ProtoMessage.TryFind(response, ResponseImage, out _);

    private static RuntimeImage ReadImage(ReadOnlySpan<byte> image)
    {
        var (tags, digests) = (new List<string>(), new List<string>());
        for (var fields = new ProtoReader(image); fields.Next();)
        {
            if (fields.Number is ImageRepoTags or ImageRepoDigests)
                (fields.Number == ImageRepoTags ? tags : digests).Add(Encoding.UTF8.GetString(fields.Value));
        }

        return new RuntimeImage(ProtoMessage.GetString(image, ImageId), tags, digests);
    }
}

/// <summary>An image as the runtime tells of it.</summary>
/// <param name="Id">Without an algorithm in front where the runtime leaves it out (CRI-O).</param>
/// <param name="Tags">Its names with tags.</param>
/// <param name="Digests">Its names with digests.</param>
internal sealed record RuntimeImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests)
{
    /// <summary>Whether <paramref name="imageRef"/>, what a pull was answered with, is this image.</summary>
    internal bool Is(string imageRef) => Digests.Append(Id).Any(name => Images.ImageId.HexOf(name).SequenceEqual(Images.ImageId.HexOf(imageRef)));

    /// <summary>
    /// Whether the text is the beginning of the ID, by which runtimes know an image too. It looks like a name of Docker Hub.
    /// </summary>
    internal bool IsShortId(string text)
    {
        const string prefix = "sha256:";
        var id = Id.StartsWith(prefix, StringComparison.Ordinal) ? Id[prefix.Length..] : Id;
        var hex = text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;
        return hex.Length > 0 && Images.ReferenceGrammar.IsHex(hex) && id.StartsWith(hex, StringComparison.Ordinal);
    }
}
