using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// Does what kubelet does, in runtime.v1: one method for each CRI call, message fields by their numbers in Kubernetes' api.proto.
/// </summary>
public sealed class CriCaller : IAsyncDisposable
{
    private const string Images = "/runtime.v1.ImageService/";
    private const string Runtime = "/runtime.v1.RuntimeService/";

    private readonly RawCaller _caller;

    private CriCaller(RawCaller caller) => _caller = caller;

    public static async Task<CriCaller> Connect(string socket) => new(await RawCaller.ConnectAsync(socket, new() { Record = false }));

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

    /// <summary>ListImages: <c>repo_tags</c> and <c>repo_digests</c> of all.</summary>
    public async Task<string[]> ListNames() =>
    [
        .. from image in Read(await Succeed(Images + "ListImages", []))
           from field in Read(image.Bytes)
           where field.Number is 2 or 3
           select field.Text,
    ];

    public async Task Remove(string image) => await Succeed(Images + "RemoveImage", Spec(image));

    /// <summary>RunPodSandbox, on the node's own network.</summary>
    /// <returns>Its ID.</returns>
    public async Task<string> RunPod(string name) => FindText(await Succeed(Runtime + "RunPodSandbox", Field(1, Pod(name))), 1);

    public async Task<string> CreateContainer(string pod, string name, string image)
    {
        var config = Message(Field(1, Field(1, name)), Field(2, Field(1, image)), Field(15, Field(2, Field(3, Field(1, OnNode)))));
        return FindText(await Succeed(Runtime + "CreateContainer", Message(Field(1, pod), Field(2, config), Field(3, Pod(name)))), 1);
    }

    public async Task StartContainer(string container) => await Succeed(Runtime + "StartContainer", Field(1, container));

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
