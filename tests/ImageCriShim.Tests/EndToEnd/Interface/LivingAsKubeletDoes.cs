using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>
/// Kubelet's life of images, call by call: the endpoint's validation, pulls by policy and by secret, one after the other and at once, the
/// list every 30 s, pull records, garbage collection. The caller says what does not hold; on the runtimes alone all of it holds.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class LivingAsKubeletDoes(RealNode node) : IDisposable
{
    private const int Steps = 10;

    private readonly TempDirectory _logs = new();

    public void Dispose() => _logs.Dispose();

    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task What_kubelet_takes_for_granted_holds(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var owners = node.OpenDoor(node.Another, takesPodSecrets: true);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");

        var life = await Live(shim.Process.SocketPath, Interfaces.V1, node.Private, owners);

        ShouldHold(life, hasPinned: containerd is "1.7" or "2");
        offline.HasServed.ShouldBeTrue();
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    [Theory, ClassData<ContainerdsOfEitherInterface>]
    public async Task On_the_runtime_alone_it_holds_as_well(string containerd)
    {
        await using var owners = node.OpenDoor(node.Another, takesPodSecrets: true);

        var life = await Live(node.SocketOf(containerd), Interfaces.Of(containerd)[0], node.OriginRegistry, owners);

        ShouldHold(life, hasPinned: containerd is "1.7" or "2");
    }

    private async Task<IReadOnlyDictionary<string, ScenarioResult>> Live(string socket, string caller, LabRegistry images, Door owners)
    {
        var (first, byDigest, secret) = (node.NewName(), node.NewName(), node.NewName());
        string[] serial = ["docker.io/" + node.NewName(), node.NewName()];
        var parallel = Enumerable.Range(0, 4).Select(_ => node.NewName()).ToArray();
        foreach (var name in (string[])[first, serial[0]["docker.io/".Length..], serial[1], .. parallel])
            await images.Push(name);
        var pinned = await images.Push(byDigest);
        await node.Another.Push(secret);
        return await Peer.CallCriAsync(socket, caller, "kubelet", new JsonObject
        {
            ["first"] = first,
            ["by_digest"] = $"{byDigest.Split(':')[0]}@{pinned.Digest}",
            ["serial"] = new JsonArray([.. serial.Select(name => JsonValue.Create(name))]),
            ["parallel"] = new JsonArray([.. parallel.Select(name => JsonValue.Create(name))]),
            ["secret"] = new JsonObject
            {
                ["name"] = $"{owners.Host}/{secret}",
                ["wrong"] = new JsonArray(Account("robot", Secrets.Wrong), Account("pod", Secrets.OfPod)),
                ["right"] = Account("robot", Secrets.OfAnother),
            },
            ["directory"] = _logs.Path,
        });
    }

    private static JsonObject Account(string user, string password) => new() { ["username"] = user, ["password"] = password };

    private static void ShouldHold(IReadOnlyDictionary<string, ScenarioResult> life, bool hasPinned)
    {
        life.Where(step => step.Value.Result["broke"] is not null).Select(step => $"{step.Key}: {step.Value.Result["broke"]}").ShouldBeEmpty();
        life.Count.ShouldBe(Steps);
        ((bool)life["collects_garbage"].Result["pinned"]!).ShouldBe(hasPinned);
    }
}
