using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>The state directory lies on a disk that takes and gives nothing: neither calls nor a start nor a stop wait for it.</summary>
[Trait("suite", "endtoend")]
public sealed class OnADiskThatHangs : SupervisedTest
{
    private const string Pull = CriRelayTest.ImageService + "PullImage";

    private readonly FakeRegistry _registry;

    public OnADiskThatHangs()
    {
        StartRuntime();
        _registry = AtEnd(FakeRegistry.Start());
        _registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
    }

    private string Record => Directory.File("state/pulls.json");

    [Fact]
    public async Task Pulls_go_on_while_nothing_can_be_written_and_so_does_a_stop()
    {
        var shim = await StartShim($"address: {_registry.Address}\n");
        await using var hanging = await Strace.Hold(shim.Id, "fsync");
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync(Pull, CriRelayTest.For("one:1"))).Status.ShouldBe(0);
        (await caller.CallAsync(Pull, CriRelayTest.For("two:1"))).Status.ShouldBe(0);
        (await Call()).Status.ShouldBe(0);

        shim.Signal(SigTerm);
        await Wait.Until(() => HasEnded(shim), "it ends although its disk still hangs");
        if (File.Exists(Record)) // it may have been begun before the disk hung
            File.ReadAllText(Record).ShouldNotContain("one:1");
        await hanging.LetGo();
        (await shim.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_start_does_not_wait_and_takes_what_it_can_read_later()
    {
        var before = await StartShim($"address: {_registry.Address}\n");
        await PullOne("one:1");
        (await before.StopAsync()).ShouldBe(0);
        Configure($"address: {_registry.Address}\n");
        var shim = AtEnd(await Supervisor.StartAsync(["--notify", NotifyPath], ["-f", ConfigPath], Strace.HoldingOpen(Record)));
        await Wait.Until(() => shim.Notified.Contains("READY=1"), "it is ready");
        await PullOne("two:1");
        shim.ShouldSay($"the disk of the state directory {Directory.File("state")} does not answer");

        await Strace.LetGoOf(shim.Pid);

        await Wait.Until(() => File.ReadAllText(Record).Contains("two:1"), "it is written");
        File.ReadAllText(Record).ShouldContain("one:1");
        await Wait.Until(() => shim.Output.Contains("has been read after all"));
    }

    // strace keeps the thread that it holds, and with it the name of a process that has ended.
    private static bool HasEnded(ShimProcess shim) => shim.HasExited || File.ReadAllText($"/proc/{shim.Id}/status").Contains("State:\tZ");

    private async Task PullOne(string image)
    {
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync(Pull, CriRelayTest.For(image))).Status.ShouldBe(0);
    }
}
