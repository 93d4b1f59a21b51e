using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>A call that names an image in a way that a runtime may read and the shim does not, while the settings forbid images.</summary>
internal sealed class RefusedCall(string method) : EditedCall
{
    internal override Verdict IfUnread => Verdict.Answer;

    internal override StreamAnswer? RefuseAtLimit() => Refuse(method);

    internal override Verdict OnRequest(ReadOnlyMemory<byte> body) => Verdict.Answer;

    internal override Task<StreamAnswer?> Answer(CancellationToken cancellation) => Task.FromResult<StreamAnswer?>(Refuse(method));

    /// <param name="method"><c>service/method</c>.</param>
    internal static StreamAnswer Refuse(string method)
    {
        var reason = $"image-cri-shim: this {method} call cannot be read, and this node's configuration forbids images (offlineOnly, block)";
        return new GrpcStatus(StatusCode.InvalidArgument, reason).ToAnswer();
    }
}
