using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>A call that names an image in a way that a runtime may read and the shim does not, while the settings forbid images.</summary>
internal sealed class RefusedCall(string method) : EditedCall
{
    internal override bool IsRefused => true;

    internal override StreamAnswer? RefuseUnread() => Refuse(method);

    internal override Verdict OnRequest(ReadOnlyMemory<byte> body) => throw new InvalidOperationException("its request is never read");

    internal override Task<StreamAnswer?> Answer(CancellationToken cancellation) => throw new InvalidOperationException("its request is never read");

    /// <param name="method"><c>service/method</c>.</param>
    internal static StreamAnswer Refuse(string method)
    {
        var reason = $"image-cri-shim: this {method} call cannot be read, and this node's configuration forbids images (offlineOnly, block)";
        return new GrpcStatus(StatusCode.InvalidArgument, reason).ToAnswer();
    }
}
