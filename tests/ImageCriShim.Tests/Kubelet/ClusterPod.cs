using System.Diagnostics;
using System.Text.Json.Nodes;

namespace ImageCriShim.Tests.Kubelet;

/// <summary>A pod of one container; it is deleted at the end.</summary>
internal sealed class ClusterPod(ClusterApi api, string name, string? manifestFile) : IAsyncDisposable
{
    private static readonly HttpClient s_http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Its name in the API, where that of a static pod ends with its node's.</summary>
    public string Name => name;

    private string Path => $"/api/v1/namespaces/default/pods/{name}";

    public static JsonObject Manifest(string name, string image, string policy) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
        ["spec"] = Spec(image, policy),
    };

    public static JsonObject Spec(string image, string policy) => new()
    {
        ["terminationGracePeriodSeconds"] = 0,
        ["containers"] = new JsonArray(new JsonObject { ["name"] = "only", ["image"] = image, ["imagePullPolicy"] = policy }),
    };

    /// <summary>Waits until its container is ready.</summary>
    public async Task<ContainerState> Ready() => new(await api.WaitFor(Path, pod => new ContainerState(pod).IsReady, $"{name} is ready"));

    /// <summary>Waits until its container waits for one of these reasons.</summary>
    /// <returns>What kubelet says of it.</returns>
    public async Task<string> WaitsFor(params string[] reasons)
    {
        var what = $"{name} waits for {string.Join(" or ", reasons)}";
        return new ContainerState(await api.WaitFor(Path, pod => reasons.Contains(new ContainerState(pod).WaitsFor), what)).Message;
    }

    /// <summary>How its container is now.</summary>
    public async Task<ContainerState> Now() => new((await api.Find(Path)) ?? throw new InvalidOperationException($"{name} is gone"));

    /// <summary>The page that its container serves, on the address that it has in the pods' network.</summary>
    public async Task<string> Page() => await PageAt((await Ready()).Address);

    public static async Task<string> PageAt(string address)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                return (await s_http.GetStringAsync($"http://{address}/", TestContext.Current.CancellationToken)).Trim();
            }
            catch (HttpRequestException) when (waited.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(20, TestContext.Current.CancellationToken); // the container has started, its server perhaps not yet
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (manifestFile is not null)
            File.Delete(manifestFile);
        await api.Delete(Path);
    }
}

/// <summary>What a pod's status says of its only container.</summary>
internal sealed class ContainerState(JsonNode pod)
{
    private readonly JsonNode? _container = pod["status"]?["containerStatuses"]?[0];

    public bool IsReady => (bool?)_container?["ready"] == true && Address.Length > 0;

    /// <summary>The pod's address.</summary>
    public string Address => (string?)pod["status"]?["podIP"] ?? "";

    public string Image => (string?)_container?["image"] ?? "";

    public string ImageId => (string?)_container?["imageID"] ?? "";

    public string ContainerId => (string?)_container?["containerID"] ?? "";

    public int Restarts => (int?)_container?["restartCount"] ?? 0;

    /// <summary>The reason why it does not run; empty if it does.</summary>
    public string WaitsFor => (string?)_container?["state"]?["waiting"]?["reason"] ?? "";

    public string Message => (string?)_container?["state"]?["waiting"]?["message"] ?? "";
}
