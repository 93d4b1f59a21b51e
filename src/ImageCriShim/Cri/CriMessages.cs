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

    /// <exception cref="MalformedMessageException"/>
    internal static bool HasImage(ReadOnlySpan<byte> imageStatusResponse) =>
        ProtoMessage.TryFind(imageStatusResponse, ResponseImage, out _);
}
