using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// A container of an image that is named: where the runtime has the image by another name only, it is told that one. So is the image of a
/// volume. kubelet sends IDs, and such a call goes on as it came. An image that the settings forbid is refused.
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
        var named = GetSpecs().Where(IsNamed).ToList();
        return named.Exists(spec => FindRefusal(spec) is not null) ? Verdict.Answer : named.Count > 0 ? Verdict.Prepare : Verdict.Forward;
    }

    protected override bool IsJudged => Environment.Policy.IsSet;

    // One of its images is forbidden, unless the runtime knows it by the beginning of its ID.
    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        foreach (var spec in GetSpecs().Where(IsNamed))
        {
            if (FindRefusal(spec) is not { } refusal)
                continue;
            var image = ProtoMessage.GetString(spec, CriMessages.SpecImage);
            if (await FindLocal(spec, image, cancellation) is not { } local || !local.IsShortId(image))
                return new GrpcStatus(StatusCode.PermissionDenied, $"image-cri-shim: {refusal}").ToAnswer();
        }

        return (await Call((await RenameAll(cancellation)).ToArray(), EchoedNames.None, SentSecrets.None, cancellation)).ToAnswer();
    }

    /// <summary>The ImageSpecs of the container and of its volumes.</summary>
    /// <exception cref="MalformedMessageException"/>
    private List<byte[]> GetSpecs()
    {
        var config = ProtoMessage.GetMessage(Request.Span, RequestConfig);
        var mounts = ProtoMessage.GetMessages(config, ConfigMounts);
        return [ProtoMessage.GetMessage(config, ConfigImage), .. mounts.Select(mount => ProtoMessage.GetMessage(mount, MountImage))];
    }

    private string? FindRefusal(byte[] spec) => Environment.Policy.FindRefusal(ProtoMessage.GetString(spec, CriMessages.SpecImage));

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
