using System.Text.Json.Nodes;
using ImageCriShim.Tests.EndToEnd.Transparency;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>
/// Every method that Kubernetes' own definition has, on a real pod of an image that was pulled by name: field by field the answers are
/// those of the runtime that has pulled it from Docker Hub, but for what <see cref="AsTheRuntimeHasIt"/> says.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class CallingEveryMethod(RealNode node) : IDisposable
{
    private const string Given = "nginx:1.25";

    /// <summary>v1alpha2 was given up when it had these.</summary>
    private static readonly string[] s_methodsOfV1Alpha2 =
    [
        .. new[]
        {
            "Version", "RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "PodSandboxStatus", "ListPodSandbox",
            "CreateContainer", "StartContainer", "StopContainer", "RemoveContainer", "ListContainers", "ContainerStatus",
            "UpdateContainerResources", "ReopenContainerLog", "ExecSync", "Exec", "Attach", "PortForward",
            "ContainerStats", "ListContainerStats", "PodSandboxStats", "ListPodSandboxStats", "UpdateRuntimeConfig", "Status",
        }.Select(name => "RuntimeService/" + name),
        .. new[] { "ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo" }.Select(name => "ImageService/" + name),
    ];

    private readonly TempDirectory _logs = new();

    public void Dispose() => _logs.Dispose();

    [Theory, ClassData<Matrix>]
    public async Task Every_answer_is_that_of_the_runtime_with_the_names_that_were_asked_for(string containerd, string caller)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var image = await node.OriginRegistry.Push("library/" + Given);
        await node.Private.Push("library/" + Given, image);
        var spoken = Interfaces.Spoken(containerd, caller);

        var direct = await Call(node.SocketOf(containerd), spoken, containerd, offline);
        var through = await Call(shim.Process.SocketPath, caller, containerd, offline);

        direct.ShouldNotContain(method => method.Value!["broke"] != null, "each method has its calls");
        offline.Requests.ShouldNotBeEmpty();
        Difference.Of(Expected(direct, spoken == caller ? null : caller), through).ShouldBeEmpty();
        shim.Process.ShouldNotHaveComplained();
    }

    private async Task<JsonObject> Call(string socket, string caller, string containerd, Door offline)
    {
        var results = await Peer.CallCriAsync(socket, caller, "every-method", new JsonObject
        {
            ["image"] = Given,
            ["directory"] = _logs.Path,
            ["hide"] = new JsonObject { [node.SocketOf(containerd)] = "SOCKET", [offline.Host] = AsTheRuntimeHasIt.Host },
        });
        return new JsonObject(results.Select(result => KeyValuePair.Create(result.Key, (JsonNode?)result.Value.Result.DeepClone())));
    }

    /// <param name="direct">What the runtime answers.</param>
    /// <param name="foreign">The caller's version where the runtime does not speak it.</param>
    private static JsonObject Expected(JsonObject direct, string? foreign) => new(direct.Select(method => KeyValuePair.Create(
        method.Key,
        foreign is Interfaces.V1Alpha2 && !s_methodsOfV1Alpha2.Contains(method.Key)
            ? (JsonNode?)Refused(method.Value!.AsObject(), method.Key.Split('/')[0])
            : AsTheRuntimeHasIt.In(method.Key, method.Value!))));

    /// <summary>A method of v1 alone, called in v1alpha2: the runtime says that it has no such service.</summary>
    private static JsonObject Refused(JsonObject direct, string service)
    {
        var message = $"unknown service runtime.{Interfaces.V1Alpha2}.{service}";
        return new(direct.Select(call => KeyValuePair.Create(call.Key, (JsonNode?)(call.Value!["then"] is null
            ? new JsonObject
            {
                ["code"] = "UNIMPLEMENTED",
                ["message"] = message,
                ["headers"] = new JsonArray(),
                ["trailers"] = new JsonArray(),
                ["answer"] = null,
            }
            : new JsonObject { ["events"] = new JsonArray(), ["then"] = new JsonObject { ["code"] = "UNIMPLEMENTED", ["message"] = message } }))));
    }
}
