using ImageCriShim.Images;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// A container of an image that is named: where the runtime has the image by another name only, it is told that one. So is the image of a
/// volume. kubelet sends IDs, and such a call goes on as it came.
/// </summary>
internal sealed class CreateContainerCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    private const int RequestConfig = 2; // CreateContainerRequest.config
    private const int ConfigImage = 2; // ContainerConfig.image, an ImageSpec
    private const int ConfigMounts = 7; // ContainerConfig.mounts
    private const int MountImage = 9; // Mount.image, an ImageSpec

    internal override async Task<ReadOnlyMemory<byte>> Prepare(CancellationToken cancellation)
    {
        try
        {
            return GrpcMessage.Frame((await RenameAll(cancellation)).Span);
        }
        catch (MalformedMessageException)
        {
            return GrpcMessage.Frame(Request.Span); // behind what was enough to decide: the runtime's own error is the right one
        }
    }

    protected override Verdict Decide()
    {
        var config = ProtoMessage.GetMessage(Request.Span, RequestConfig);
        return IsNamed(ProtoMessage.GetMessage(config, ConfigImage))
            || ProtoMessage.GetMessages(config, ConfigMounts).Exists(mount => IsNamed(ProtoMessage.GetMessage(mount, MountImage)))
                ? Verdict.Prepare
                : Verdict.Forward;
    }

    private static bool IsNamed(byte[] spec) => ProtoMessage.GetString(spec, CriMessages.SpecImage) is { Length: > 0 } image && !ImageId.IsId(image);

    private async Task<ReadOnlyMemory<byte>> RenameAll(CancellationToken cancellation)
    {
        var config = ProtoMessage.GetMessage(Request.Span, RequestConfig);
        var edited = await RenameIn(config, ConfigImage, cancellation);
        var mounts = ProtoMessage.GetMessages(config, ConfigMounts);
        var renamed = new List<byte[]>(mounts.Count);
        foreach (var mount in mounts)
            renamed.Add(await RenameIn(mount, MountImage, cancellation));
        if (!mounts.SequenceEqual(renamed))
            edited = ProtoMessage.WithEach(edited, ConfigMounts, renamed);
        return edited == config ? Request : ProtoMessage.With(Request.Span, RequestConfig, edited);
    }

    /// <summary>What holds an ImageSpec, with the name in it that the runtime knows.</summary>
    /// <returns>The very same where nothing is to be changed.</returns>
    private async Task<byte[]> RenameIn(byte[] message, int field, CancellationToken cancellation)
    {
        var spec = ProtoMessage.GetMessage(message, field);
        var renamed = await Rename(spec, cancellation);
        return renamed == spec ? message : ProtoMessage.With(message, field, renamed);
    }

    /// <inheritdoc cref="RenameIn"/>
    private async Task<byte[]> Rename(byte[] spec, CancellationToken cancellation)
    {
        var image = ProtoMessage.GetString(spec, CriMessages.SpecImage);
        if (!IsNamed(spec) || await FindLocal(spec, image, cancellation) is not null)
            return spec;
        foreach (var name in Environment.OtherNames.Of(image).Others)
        {
            if (await FindLocal(spec, name, cancellation) is null)
                continue;
            Log.FoundUnderCandidate(Environment.Log, image, name);
            return ProtoMessage.With(spec, CriMessages.SpecImage, name);
        }

        return spec; // the runtime's own error is the right one
    }
}
