using System.Text;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Kubelet;

[Collection<ClusterTests>]
[Trait("suite", "kubelet")]
public sealed class PullingWithPodSecrets(Cluster cluster)
{
    private const string DockerHub = "https://index.docker.io/v1/";

    [Theory, ClassData<KubeletContainerds>]
    public async Task A_secret_opens_the_registry_that_the_image_names(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Origin);
        await using var theirs = cluster.OpenDoor(cluster.Private);
        var (node, name) = (cluster.NodeOn(containerd), cluster.NewName());
        await cluster.Private.Push(name);
        await node.Configure(offline.Address);
        await using var secret = await PullSecret.Create(cluster.Api, theirs.Host, theirs.Auth!);

        await using var pod = await node.Run($"{theirs.Host}/{name}", secret: secret.Name);

        await pod.Ready();
        theirs.HasServed.ShouldBeTrue();
        offline.Requests.Select(request => request.Account).Distinct().ShouldBe([null]);
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task With_forwardPullSecrets_it_opens_the_registry_that_the_image_comes_from(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (cluster.NodeOn(containerd), cluster.NewName());
        await cluster.Private.Push(name);
        await node.Configure(offline.Address, "forwardPullSecrets: true\nofflineOnly: true");
        await using var secret = await PullSecret.Create(cluster.Api, DockerHub, offline.Auth!);

        await using var without = await node.Run(name);
        (await without.WaitsFor("ErrImagePull", "ImagePullBackOff")).ShouldNotBeEmpty();
        await using var with = await node.Run(name, secret: secret.Name);

        await with.Ready();
        offline.HasServed.ShouldBeTrue();
    }

    [Theory, ClassData<KubeletContainerds>]
    public async Task Without_forwardPullSecrets_it_stays_away_from_there(string containerd)
    {
        await using var offline = cluster.OpenDoor(cluster.Private);
        var (node, name) = (cluster.NodeOn(containerd), cluster.NewName());
        await cluster.Private.Push(name);
        await node.Configure(offline.Address, "offlineOnly: true");
        await using var secret = await PullSecret.Create(cluster.Api, DockerHub, offline.Auth!);

        await using var pod = await node.Run(name, secret: secret.Name);

        (await pod.WaitsFor("ErrImagePull", "ImagePullBackOff")).ShouldNotBeEmpty();
        offline.Requests.Select(request => request.Account).Distinct().ShouldBe([null]);
    }

    private sealed class PullSecret(ClusterApi api, string name) : IAsyncDisposable
    {
        private const string Secrets = "/api/v1/namespaces/default/secrets";

        public string Name => name;

        /// <param name="api">Where it is kept.</param>
        /// <param name="registry">The registry it is for, as docker writes it.</param>
        /// <param name="auth"><c>user:password</c>.</param>
        public static async Task<PullSecret> Create(ClusterApi api, string registry, string auth)
        {
            var name = $"pull-{Guid.NewGuid():n}";
            var config = new JsonObject { ["auths"] = new JsonObject { [registry] = new JsonObject { ["auth"] = Base64(auth) } } };
            await api.Create(Secrets, new()
            {
                ["metadata"] = new JsonObject { ["name"] = name },
                ["type"] = "kubernetes.io/dockerconfigjson",
                ["data"] = new JsonObject { [".dockerconfigjson"] = Base64(config.ToJsonString()) },
            });
            return new(api, name);
        }

        public async ValueTask DisposeAsync() => await api.Delete($"{Secrets}/{name}");

        private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
    }
}
