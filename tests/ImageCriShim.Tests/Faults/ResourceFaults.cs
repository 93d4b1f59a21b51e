using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Faults;

/// <summary>What the machine runs out of, nobody who is served already has to go without.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class ResourceFaults(FaultNode node)
{
    private const int Kubelets = 4; // a node has one

    private static readonly TimeSpan s_lasts = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Without_descriptors_those_who_are_connected_go_on()
    {
        const int limit = 64;
        var opened = new List<Socket>();
        await using var scene = await Scene.Set(node, $"no descriptors left (limit {limit}, {2 * limit} connections)", new() { Within = $"ulimit -n {limit}; exec \"$@\"" });

        var effect = await scene.Suffer(() => Connect(scene, opened, 2 * limit), s_lasts, () => Close(opened), untilPulled: true);

        effect.ShouldOnlyHaveFailed((Workload.Crictl, GrpcStatus.ResourceExhausted), (Workload.Crictl, GrpcStatus.DeadlineExceeded));
        effect.ShouldHavePulledMeanwhile(); // for which it needs connections of its own
        scene.Shim.Starts.ShouldBe(1); // CoreCLR ends ("Out of memory") where its pool can start no thread for want of a descriptor
    }

    [Fact]
    public async Task It_gets_by_with_little_memory()
    {
        const int megabytes = 32;
        Assert.SkipUnless(Directory.Exists("/sys/fs/cgroup/memory"), "the memory controller of cgroup v1 is not here");
        var group = Directory.CreateDirectory($"/sys/fs/cgroup/memory/image-cri-shim-lab-{Environment.ProcessId}").FullName;
        await File.WriteAllTextAsync(Path.Combine(group, "memory.limit_in_bytes"), $"{megabytes}M", TestContext.Current.CancellationToken);
        await using (var scene = await Scene.Set(node, $"memory limited to {megabytes} MB, {Kubelets} more kubelets", new() { Within = $"echo $$ >{group}/cgroup.procs; exec \"$@\"" }))
        {
            var more = new List<Workload>();

            var effect = await scene.Suffer(() => StartMore(scene, more, Kubelets), s_lasts, () => Task.WhenAll(more.Select(workload => workload.Stop())));

            effect.ShouldNotHaveFailed();
            scene.Shim.Starts.ShouldBe(1);
        }

        Directory.Delete(group);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("read-only")]
    public async Task A_disk_that_takes_no_state_is_a_warning(string disk)
    {
        using var directory = new TempDirectory();
        var state = Directory.CreateDirectory(directory.File("state")).FullName;
        await Programs.Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", state);
        try
        {
            await using var scene = await Scene.Set(node, $"the disk of the state is {disk}", new() { StateDirectory = state });

            var effect = await scene.Suffer(
                () => disk == "full" ? Fill(Path.Combine(state, "filler")) : Programs.Run("mount", "-o", "remount,ro", state),
                s_lasts,
                () => disk == "full" ? Remove(Path.Combine(state, "filler")) : Programs.Run("mount", "-o", "remount,rw", state));

            effect.ShouldNotHaveFailed();
            scene.Shim.Output.ShouldContain(" warning ");
        }
        finally
        {
            await Programs.Run("umount", "-l", state);
        }
    }

    [Fact]
    public async Task A_disk_that_hangs_holds_up_no_call()
    {
        await using var scene = await Scene.Set(node, "the disk of the state hangs");
        Strace? hanging = null;

        var effect = await scene.Suffer(
            async () => hanging = await Strace.Hold(scene.Shim.Pid, "fsync"),
            s_lasts,
            () => hanging!.DisposeAsync().AsTask(), untilPulled: true);

        effect.ShouldNotHaveFailed().ShouldHavePulledMeanwhile();
        scene.Shim.Starts.ShouldBe(1);
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_is_no_matter()
    {
        await using var scene = await Scene.Set(node, "the disk of the log is full", new() { Within = "exec \"$@\" 2>/dev/full" });

        var effect = await scene.Suffer(() => Task.CompletedTask, s_lasts, () => Task.CompletedTask);

        effect.ShouldNotHaveFailed();
        scene.Shim.Starts.ShouldBe(1);
    }

    private static async Task Connect(Scene scene, List<Socket> opened, int connections)
    {
        for (var i = 0; i < connections; i++)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            opened.Add(socket);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(scene.Shim.SocketPath));
        }
    }

    private static Task Close(List<Socket> opened)
    {
        opened.ForEach(socket => socket.Dispose());
        return Task.CompletedTask;
    }

    private async Task StartMore(Scene scene, List<Workload> more, int count)
    {
        for (var i = 0; i < count; i++)
            more.Add(Workload.Start(scene.Shim.SocketPath, await node.PushImages(1)));
    }

    private static async Task Fill(string file)
    {
        await using var stream = File.Create(file);
        try
        {
            while (true)
                stream.Write(new byte[4096]);
        }
        catch (IOException)
        {
            // That is what was wanted.
        }
    }

    private static Task Remove(string file)
    {
        File.Delete(file);
        return Task.CompletedTask;
    }
}
