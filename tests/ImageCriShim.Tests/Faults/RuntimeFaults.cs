using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Faults;

/// <summary>Whatever the runtime does, a caller is not worse off than on its socket itself.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class RuntimeFaults(FaultNode node)
{
    // What the shim itself asks goes over connections of its own, which it may have to make: pulls, and images by their other names.
    private static readonly (string, GrpcStatus)[] s_ofThoseWhoConnect =
        [(Workload.Crictl, GrpcStatus.Unavailable), (Workload.Pulls, GrpcStatus.Unavailable), ("ImageStatus", GrpcStatus.Unavailable)];

    // UNKNOWN is containerd's own, to anybody who is quick: "server is not initialized yet".
    private static readonly (string, GrpcStatus)[] s_ofARestart =
        [("", GrpcStatus.Unavailable), ("", GrpcStatus.Unknown), (Workload.Pulls, GrpcStatus.Cancelled)];

    private static readonly SceneOptions s_compared = new() { ComparesDirectly = true };

    [Fact]
    public async Task A_runtime_that_is_killed_and_started_again_is_missed_no_longer_than_directly()
    {
        await using var scene = await Scene.Set(node, "containerd killed, away for 2 s (stale socket file)", s_compared);

        var effect = await scene.Suffer(() => node.StopContainerd("KILL"), TimeSpan.FromSeconds(2), node.ResumeContainerd);

        effect.ShouldOnlyHaveFailed(s_ofARestart).ShouldBeNoWorseThanDirectly();
        scene.Shim.Starts.ShouldBe(1);
    }

    [Fact]
    public async Task A_runtime_that_is_restarted_is_missed_no_longer_than_directly()
    {
        await using var scene = await Scene.Set(node, "containerd restarted", s_compared);

        var effect = await scene.Suffer(() => node.StopContainerd(), TimeSpan.Zero, node.ResumeContainerd);

        effect.ShouldOnlyHaveFailed(s_ofARestart).ShouldBeNoWorseThanDirectly();
    }

    [Fact]
    public async Task A_runtime_that_stands_still_is_waited_for()
    {
        await using var scene = await Scene.Set(node, "containerd stopped with SIGSTOP for 30 s", s_compared);

        var effect = await scene.Suffer(
            () => Tell(Processes.SigStop), TimeSpan.FromSeconds(30), () => Tell(Processes.SigCont));

        // A pull without a deadline has the one of the settings, which is 3 s here.
        effect.ShouldOnlyHaveFailed(("", GrpcStatus.DeadlineExceeded)).ShouldBeNoWorseThanDirectly();
    }

    [Fact]
    public async Task While_the_runtimes_socket_file_is_gone_connections_that_stand_go_on()
    {
        await using var scene = await Scene.Set(node, "containerd's socket file gone for 4 s", s_compared);
        var away = node.Socket + ".away";

        var effect = await scene.Suffer(
            () => Move(node.Socket, away), TimeSpan.FromSeconds(4), () => Move(away, node.Socket));

        effect.ShouldOnlyHaveFailed(s_ofThoseWhoConnect).ShouldBeWellAsSoonAsDirectly();
    }

    [Fact]
    public async Task While_something_else_is_at_the_place_of_the_runtimes_socket_connections_that_stand_go_on()
    {
        await using var scene = await Scene.Set(node, "containerd's socket file replaced by a text for 4 s", s_compared);
        var away = node.Socket + ".away";

        var effect = await scene.Suffer(
            async () =>
            {
                await Move(node.Socket, away);
                await File.WriteAllTextAsync(node.Socket, "not a socket");
            },
            TimeSpan.FromSeconds(4),
            () => Move(away, node.Socket));

        effect.ShouldOnlyHaveFailed(s_ofThoseWhoConnect).ShouldBeWellAsSoonAsDirectly();
    }

    [Fact]
    public async Task A_runtime_that_is_upgraded_needs_no_restart_of_the_shim()
    {
        string[] versions = ["1.6", "1.7", "2"];
        var installed = (await Lab.Run("versions")).Split('\n').Select(line => line.Split(' ')[0]).ToArray();
        Assert.SkipUnless(versions.All(installed.Contains), "one of the containerds could not be installed");
        await node.ReplaceContainerd(versions[0]);
        try
        {
            await using var scene = await Scene.Set(node, "containerd upgraded 1.6 -> 1.7 -> 2", s_compared);

            var effect = await scene.Suffer(() => Upgrade(versions[1]), TimeSpan.FromSeconds(2), () => Upgrade(versions[2]));

            effect.ShouldOnlyHaveFailed(s_ofARestart).ShouldBeNoWorseThanDirectly();
            scene.Shim.Starts.ShouldBe(1);
        }
        finally
        {
            await node.RestoreContainerd();
        }
    }

    private async Task Upgrade(string version)
    {
        await node.StopContainerd();
        await node.StartContainerd(version);
    }

    private static Task Move(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        return Task.CompletedTask;
    }

    private Task Tell(int signal)
    {
        node.Signal(signal);
        return Task.CompletedTask;
    }
}
