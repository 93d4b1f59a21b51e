using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>
/// Pull, status, list, sandbox, container by name, exec, logs, events, stats, remove, by a caller of either version on every runtime. The
/// caller itself says whether each step is as it must be; on the runtimes alone it says so too.
/// </summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class LivingInEitherVersion(RealNode node) : IDisposable
{
    private static readonly string[] s_steps =
        ["pull", "status", "list", "sandbox", "container_by_name", "exec", "logs", "events", "stats", "remove"];

    private readonly TempDirectory _logs = new();

    public void Dispose() => _logs.Dispose();

    [Theory, ClassData<Matrix>]
    public async Task Every_step_is_as_it_must_be(string containerd, string caller)
    {
        await using var offline = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nauth: {offline.Auth}");
        var name = node.NewName();

        var life = await Live(shim.Process.SocketPath, caller, name, await node.Private.Push(name));

        ShouldBeWhole(life, hasEvents: caller == Interfaces.V1 && HasEvents(containerd));
        offline.HasServed.ShouldBeTrue();
        shim.Process.ShouldNotHaveComplained();
    }

    [Theory, ClassData<SpokenInterfaces>]
    public async Task The_runtime_alone_is_so_as_well(string containerd, string caller)
    {
        var name = node.NewName();

        var life = await Live(node.SocketOf(containerd), caller, name, await node.OriginRegistry.Push(name));

        ShouldBeWhole(life, hasEvents: caller == Interfaces.V1 && HasEvents(containerd));
    }

    private Task<IReadOnlyDictionary<string, ScenarioResult>> Live(string socket, string caller, string name, TestImage image) =>
        Peer.CallCriAsync(socket, caller, "life", new JsonObject
        {
            ["image"] = name,
            ["id"] = image.Id,
            ["digest"] = image.Digest,
            ["directory"] = _logs.Path,
        });

    private static void ShouldBeWhole(IReadOnlyDictionary<string, ScenarioResult> life, bool hasEvents)
    {
        life.Where(step => step.Value.Result["broke"] is not null).Select(step => $"{step.Key}: {step.Value.Result["broke"]}").ShouldBeEmpty();
        life.Keys.ShouldBe(s_steps);
        ((string?)life["events"].Result["of CRI"]).ShouldBe(hasEvents ? "heard" : "UNIMPLEMENTED");
        ((string?)life["events"].Result["of containerd"]).ShouldBe("heard");
    }

    /// <summary>CRI's own, GetContainerEvents, which v1alpha2 never had.</summary>
    private static bool HasEvents(string containerd) => containerd is "1.7" or "2";
}
