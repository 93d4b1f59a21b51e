using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// Does what kubelet does, in runtime.v1 unless told otherwise: one method for each CRI call, message fields by their numbers in Kubernetes' api.proto.
/// </summary>
public sealed class CriCaller : IAsyncDisposable
{
    private readonly RawCaller _caller;

    private CriCaller(RawCaller caller, string version) =>
        (_caller, Images, Runtime) = (caller, $"/runtime.{version}.ImageService/", $"/runtime.{version}.RuntimeService/");

    private string Images { get; }

    private string Runtime { get; }

    /// <param name="socket">Of a runtime, or of the shim.</param>
    /// <param name="version">Of CRI: <c>v1</c> or <c>v1alpha2</c>.</param>
    public static async Task<CriCaller> Connect(string socket, string version = "v1") =>
        new(await RawCaller.ConnectAsync(socket, new() { Record = false }), version);

    public async Task<PullAnswer> Pull(string image, PodSecret? secret = null, TimeSpan? deadline = null)
    {
        Header[] metadata = deadline is { } limit ? [("grpc-timeout", $"{limit.TotalMilliseconds:0}m")] : [];
        var answer = await _caller.CallAsync(Images + "PullImage", PullRequest(image, secret), metadata);
        return new((GrpcCode)answer.Status, answer.Message, answer.Status == 0 ? FindText(answer.Single, 1) : "");
    }

    /// <summary>A pull that its caller will give up.</summary>
    public async Task<RawStream> StartPull(string image)
    {
        var stream = _caller.Start(Images + "PullImage");
        await stream.SendMessageAsync(PullRequest(image, null), end: true);
        return stream;
    }

    /// <summary>ImageStatus.</summary>
    /// <returns>The image's ID; null where there is none of that name.</returns>
    public async Task<string?> FindId(string image) =>
        ProtoFields.Find(await Succeed(Images + "ImageStatus", Spec(image)), 1) is { } found ? FindText(found, 1) : null;

    /// <summary>ImageStatus; null where there is none of that name.</summary>
    public async Task<ImageOnNode?> FindImage(string image) =>
        ProtoFields.Find(await Succeed(Images + "ImageStatus", Spec(image)), 1) is { } found ? ImageOnNode.Read(found) : null;

    /// <summary>ListImages.</summary>
    public async Task<ImageOnNode[]> ListImages() =>
        [.. Read(await Succeed(Images + "ListImages", [])).Where(field => field.Number == 1).Select(image => ImageOnNode.Read(image.Bytes))];

    public async Task Remove(string image) => await Succeed(Images + "RemoveImage", Spec(image));

    /// <summary>RunPodSandbox, on the node's own network.</summary>
    /// <returns>Its ID.</returns>
    public async Task<string> RunPod(string name) => FindText(await Succeed(Runtime + "RunPodSandbox", Field(1, Pod(name))), 1);

    /// <param name="pod">Its ID.</param>
    /// <param name="name">Of the container and its pod.</param>
    /// <param name="image">By name or ID.</param>
    /// <param name="volumes">Images that are mounted, and where.</param>
    public async Task<string> CreateContainer(string pod, string name, string image, params (string Image, string Path)[] volumes)
    {
        var mounts = volumes.Select(volume => Field(7, Message(Field(1, volume.Path), Field(3, 1), Field(9, Field(1, volume.Image))))).ToArray();
        var config = Message(Field(1, Field(1, name)), Field(2, Field(1, image)), Message(mounts), Field(15, Field(2, Field(3, Field(1, OnNode)))));
        return FindText(await Succeed(Runtime + "CreateContainer", Message(Field(1, pod), Field(2, config), Field(3, Pod(name)))), 1);
    }

    public async Task StartContainer(string container) => await Succeed(Runtime + "StartContainer", Field(1, container));

    /// <summary>ContainerStatus: what it says of the image.</summary>
    public async Task<ImageOfContainer> FindImageOf(string container)
    {
        var status = ProtoFields.Find(await Succeed(Runtime + "ContainerStatus", Field(1, container)), 1)!;
        return new(FindText(status, 8, 1), FindText(status, 9), FindText(status, 17));
    }

    /// <summary>ListContainers: what it says of the image.</summary>
    public async Task<ImageOfContainer> ListedImageOf(string container)
    {
        var listed = ProtoFields.Find(await Succeed(Runtime + "ListContainers", Field(1, Field(1, container))), 1)!;
        return new(FindText(listed, 4, 1), FindText(listed, 5), FindText(listed, 10));
    }

    /// <returns>What the command wrote to its standard output.</returns>
    public async Task<string> Exec(string container, params string[] command)
    {
        var request = Message([Field(1, container), .. command.Select(word => Field(2, word)), Field(3, 10)]); // seconds
        return FindText(await Succeed(Runtime + "ExecSync", request), 1);
    }

    /// <returns>Their IDs.</returns>
    public async Task<string[]> ListPods() => [.. Read(await Succeed(Runtime + "ListPodSandbox", [])).Select(pod => FindText(pod.Bytes, 1))];

    public async Task StopPod(string pod) => await Succeed(Runtime + "StopPodSandbox", Field(1, pod));

    public async Task RemovePod(string pod) => await Succeed(Runtime + "RemovePodSandbox", Field(1, pod));

    public ValueTask DisposeAsync() => _caller.DisposeAsync();

    private async Task<byte[]> Succeed(string path, byte[] request)
    {
        var answer = await _caller.CallAsync(path, request);
        answer.Status.ShouldBe(0, $"{path}: {answer.Message}");
        return answer.Single;
    }

    /// <summary>NamespaceMode NODE.</summary>
    private const ulong OnNode = 2;

    private static byte[] Spec(string image) => Field(1, Field(1, image));

    private static byte[] PullRequest(string image, PodSecret? secret) => secret is null
        ? Spec(image)
        : Message(Spec(image), Field(2, Message(Field(1, secret.User), Field(2, secret.Password), secret.Server is null ? [] : Field(4, secret.Server))));

    private static byte[] Pod(string name)
    {
        var linux = Message(Field(1, "/image-cri-shim-lab"), Field(2, Field(1, Field(1, OnNode)))); // the cgroup that the lab removes
        return Message(Field(1, Message(Field(1, name), Field(2, name + "-uid"), Field(3, "default"))), Field(8, linux));
    }
}

/// <summary>What a pod's imagePullSecrets become: the AuthConfig of kubelet's call.</summary>
/// <param name="Server"><c>server_address</c>, which kubelet 1.2x copied from the secret; absent where it says nothing.</param>
public sealed record PodSecret(string User, string Password, string? Server = null);

/// <summary>The message Image, as far as it is names.</summary>
public sealed record ImageOnNode(string Id, string[] Tags, string[] Digests)
{
    public static ImageOnNode Read(byte[] image) => new(FindText(image, 1), Texts(image, 2), Texts(image, 3));

    /// <summary>Whether these are its names; the order of them says nothing.</summary>
    public void ShouldBeNamed(string[] tags, string[] digests)
    {
        Tags.ShouldBe(tags, ignoreOrder: true);
        Digests.ShouldBe(digests, ignoreOrder: true);
    }

    private static string[] Texts(byte[] message, int number) => [.. ProtoFields.Read(message).Where(field => field.Number == number).Select(field => field.Text)];
}

/// <param name="Name"><c>image.image</c>.</param>
/// <param name="Ref"><c>image_ref</c>.</param>
/// <param name="Id"><c>image_id</c>; empty where the runtime does not know that field.</param>
public sealed record ImageOfContainer(string Name, string Ref, string Id);

/// <param name="ImageRef">Empty where the pull failed.</param>
public sealed record PullAnswer(GrpcCode Code, string Message, string ImageRef)
{
    public void ShouldBeOk() => Code.ShouldBe(GrpcCode.Ok, Message);
}

/// <summary>google.rpc.Code, as far as pulls end so.</summary>
public enum GrpcCode
{
    Ok = 0,
    Unknown = 2,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
}
