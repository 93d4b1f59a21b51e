using System.Net;
using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Handover;

/// <summary>A process hands over to the program that is installed now: no call fails, and it ends with its last one.</summary>
[Trait("suite", "endtoend")]
public sealed class HandingOver : IAsyncLifetime
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const string PullImage = "/runtime.v1.ImageService/PullImage";
    private const string Slow = "/runtime.v1.RuntimeService/ExecSync";

    private readonly ServingNode _node = new();
    private readonly TaskCompletionSource _finish = new();
    private int _started;

    public ValueTask InitializeAsync()
    {
        _node.Runtime.On(Slow, async call =>
        {
            await call.ReadRequestAsync();
            Interlocked.Increment(ref _started);
            await _finish.Task;
            await call.AnswerAsync([1]);
        });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task A_call_goes_on_in_the_old_process_and_new_ones_reach_the_new_one()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        var successor = await _node.Pid();
        successor.ShouldNotBe(_node.First.Id);
        await slow.Connection.WaitForFrame(FrameType.GoAway);
        await Call();
        await Wait.Until(async () => (await _node.Predecessors()).SequenceEqual([_node.First.Id]), "it is shown");
        (await _node.StatusText()).ShouldMatch($"before   process {_node.First.Id} \\(.*\\) still serves 1 calls, ExecSync for .*; what is left at .* is cut");
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await _node.FirstEnds();
        await Wait.Until(async () => (await _node.Predecessors()).Length == 0, "it is not shown any more");
        await Call();
        _node.First.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task Twenty_in_a_row_while_calls_are_made_fail_none()
    {
        await _node.Start();
        using var enough = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 4).Select(_ => CallUntil(enough.Token)).ToArray();
        for (var handover = 0; handover < 20; handover++)
            await _node.HandOver();
        await enough.CancelAsync();
        (await Task.WhenAll(callers)).ShouldAllBe(calls => calls > 0);
        await Wait.Until(() => _node.Living().Length == 1, "the last one is left");
    }

    [Fact]
    public async Task Processes_that_drain_at_the_same_time_are_all_shown_and_end_one_by_one()
    {
        await _node.Start();
        var first = await StartCall();
        await _node.HandOver();
        var second = await _node.Pid();
        var other = await StartCall();
        await _node.HandOver();
        await Wait.Until(async () => (await _node.Predecessors()).Order().SequenceEqual(new[] { _node.First.Id, second }.Order()), "both are shown");
        _finish.SetResult();
        (await first.ReadAnswerAsync()).Status.ShouldBe(0);
        (await other.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.Until(() => _node.Living().Length == 1, "the last one is left");
    }

    [Fact]
    public async Task A_process_goes_on_draining_when_its_successor_has_handed_over_too_and_serves_again_when_the_last_one_dies()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        var second = await _node.Pid();
        await _node.HandOver();
        await Wait.Until(() => !_node.Living().Contains(second), "the second has nothing left to do");
        await Wait.AWhile();
        _node.Output.ShouldNotContain("serves again");
        ServingNode.Signal(await _node.Pid(), SigKill);
        await Call();
        _node.First.ShouldSay("this one serves again");
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    [Theory]
    [InlineData("#!/bin/sh\nexit 1\n", "ended before it served")]
    [InlineData("this is no program", "cannot be started: it is no program for this machine")]
    [InlineData("#!/nowhere\n", "cannot be started: it, or the interpreter that it names, is not there")]
    [InlineData("#!/bin/sh\nkill -SEGV $$\n", "ended before it served")]
    [InlineData("#!/bin/sh\necho something >&4\n", "speaks another language")]
    public async Task A_program_that_cannot_serve_changes_nothing(string program, string reason)
    {
        await _node.Start();
        await using var caller = await RawCaller.ConnectAsync(_node.SocketPath);
        await caller.CallAsync("/test.Fake/Unary", [1]);
        _node.Install(program);
        var (code, output) = await _node.Reload();
        code.ShouldBe(1);
        output.ShouldContain($"the handover failed, and process {_node.First.Id}");
        output.ShouldContain(reason);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0); // on the connection that was there before
        caller.Connection.Received.ShouldAllBe(frame => frame.Type != FrameType.GoAway);
        await Call();
        (await _node.StatusText()).ShouldContain("handover FAILED at ");
        _node.First.ShouldSay("the handover failed, and this process goes on serving as before: ");
        _node.Living().ShouldBe([_node.First.Id]);
    }

    [Fact]
    public async Task A_program_that_is_gone_is_no_reason_to_hand_over_and_fails_where_it_is_asked_for()
    {
        await _node.Start();
        _node.Uninstall();
        (await _node.Reload()).Code.ShouldBe(0); // the settings alone
        var (code, output) = await _node.Reload("--handover");
        code.ShouldBe(1, output);
        output.ShouldContain("is not there");
        await Call();
    }

    [Theory]
    [Trait("suite", "slow")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_program_that_hangs_is_killed_after_a_while_and_the_old_process_goes_on(bool isAtOnce)
    {
        await _node.Start();
        if (isAtOnce)
            _node.Install("#!/bin/sh\nwhile true; do sleep 0.1; done\n");
        else
            _node.InstallOneThatHangs();
        var reload = _node.Reload();
        await Call();
        var (code, output) = await reload;
        code.ShouldBe(1);
        output.ShouldContain("did not serve within 15 s");
        await Call();
        _node.Living().ShouldBe([_node.First.Id]);
    }

    [Fact]
    public async Task Settings_that_cannot_be_used_change_nothing_although_it_may_fail_open()
    {
        await _node.Start("--fail-open");
        _node.Configure("nonsense: 1\n");
        var (code, output) = await _node.Reload("--handover");
        code.ShouldBe(1);
        output.ShouldContain("nonsense");
        (await _node.Pid()).ShouldBe(_node.First.Id);
        await Call();
    }

    [Fact]
    public async Task Where_the_old_process_fails_open_the_new_one_may_too()
    {
        _node.Configure("nonsense: 1\n");
        await _node.Start("--fail-open");
        await _node.HandOver();
        (await _node.Pid()).ShouldNotBe(_node.First.Id);
        await Call();
    }

    [Fact]
    public async Task A_reload_hands_over_only_if_another_program_is_installed()
    {
        await _node.Start();
        (await _node.Reload()).Code.ShouldBe(0);
        (await _node.Pid()).ShouldBe(_node.First.Id);
        _node.InstallAgain();
        var (code, output) = await _node.Reload();
        code.ShouldBe(0, output);
        output.ShouldContain($"serves in place of process {_node.First.Id}");
        await _node.FirstEnds();
    }

    [Fact]
    public async Task SIGHUP_hands_over_too_if_another_program_is_installed()
    {
        const int sigHup = 1;
        await _node.Start();
        _node.InstallAgain();
        _node.First.Signal(sigHup);
        await _node.FirstEnds();
        await Call();
    }

    [Fact]
    public async Task When_the_new_process_dies_the_old_one_serves_again()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        ServingNode.Signal(await _node.Pid(), SigKill);
        await Call(); // waits in the socket until the old one has noticed
        _node.First.ShouldSay("which this one handed over to, has ended; this one serves again");
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.Until(async () => await _node.Pid() == _node.First.Id, "it shows itself");
        await _node.HandOver(); // and can hand over again
        await _node.FirstEnds();
        await Call();
    }

    [Fact]
    public async Task A_stop_of_both_ends_when_the_old_process_has_ended_too()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        var successor = await _node.Pid();
        await Wait.Until(async () => (await _node.Predecessors()).Length == 1, "the old one is known");
        foreach (var process in _node.Living())
            ServingNode.Signal(process, SigTerm);
        await Call(); // it is served still
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.Until(() => _node.Living().Length == 0, $"{successor} and {_node.First.Id} end");
        File.Exists(_node.SocketPath).ShouldBeFalse();
    }

    [Fact]
    public async Task A_stop_of_the_new_process_alone_is_one_of_the_old_process_too_which_does_not_serve_again()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        await Wait.Until(async () => (await _node.Predecessors()).Length == 1, "the old one is known");
        ServingNode.Signal(await _node.Pid(), SigTerm);
        await Wait.Until(() => _node.First.Output.Contains("SIGTERM", StringComparison.Ordinal), "the old one hears of it");
        await Call(); // the new one serves until the old one has ended
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.Until(() => _node.Living().Length == 0, "both end");
        _node.Output.ShouldNotContain("serves again");
    }

    [Fact]
    public async Task Where_the_socket_is_gone_as_well_as_the_new_process_the_old_one_only_drains()
    {
        await _node.Start();
        var slow = await StartCall();
        await _node.HandOver();
        File.Delete(_node.SocketPath);
        ServingNode.Signal(await _node.Pid(), SigKill);
        await Wait.Until(() => _node.Living().Length == 1, "the new one is gone");
        await Wait.AWhile();
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await _node.FirstEnds();
        _node.Output.ShouldNotContain("serves again");
    }

    [Fact]
    public async Task Without_a_private_socket_the_old_process_knows_all_the_same_who_serves()
    {
        _node.SocketName = new string('s', 104 - (_node.SocketPath.Length - _node.SocketName.Length));
        await _node.StartUnseen();
        var slow = await StartCall();
        var second = await HandOverBySignal(_node.First.Id);
        var third = await HandOverBySignal(second);
        await Wait.Until(() => !_node.Living().Contains(second), "the second has nothing left to do");
        await Wait.AWhile();
        _node.Output.ShouldNotContain("serves again");
        ServingNode.Signal(third, SigKill);
        await Call();
        _node.First.ShouldSay("this one serves again");
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Metrics_that_the_new_settings_do_not_want_end_with_the_handover()
    {
        var port = FreePort();
        _node.Configure($"metrics: 127.0.0.1:{port}\n");
        await _node.Start();
        var slow = await StartCall();
        _node.Configure("metrics: off\n");
        await _node.HandOver();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Should.ThrowAsync<SocketException>(() => socket.ConnectAsync(IPAddress.Loopback, port));
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_disk_that_hangs_has_not_taken_the_new_process_is_told_and_what_it_takes_late_replaces_nothing()
    {
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        _node.Runtime.On(PullImage, async call =>
        {
            await call.ReadRequestAsync();
            await call.AnswerAsync(Message(Field(1, "sha256:" + new string('a', 64))));
        });
        _node.Configure($"address: {registry.Address}\n");
        await _node.Start();
        var slow = await StartCall();
        await using var hanging = await Strace.Hold(_node.First.Id, "fsync");
        await Pull("one:1");
        await _node.HandOver();
        await Wait.Until(async () => (int)(await _node.Status())["state"]!["pulls"]! == 1, "it is known");
        await Pull("two:1");
        await Wait.Until(async () => (await _node.Record()).Contains("two:1", StringComparison.Ordinal), "it is written");
        await hanging.LetGo();
        _finish.SetResult();
        (await slow.ReadAnswerAsync()).Status.ShouldBe(0);
        await _node.FirstEnds();
        (await _node.Record()).ShouldContain("two:1");
        (await _node.Record()).ShouldContain("one:1");
    }

    [Fact]
    public async Task What_is_left_when_the_drain_is_over_is_cut_and_counted()
    {
        await _node.Start("--drain-timeout", "1s");
        var slow = await StartCall();
        await _node.HandOver();
        await Wait.For(slow.Connection.Closed);
        await _node.FirstEnds();
        _node.First.ShouldSay("1 calls are cut, and callers see UNAVAILABLE");
        await Call();
    }

    [Fact]
    public async Task What_the_old_process_pulls_is_in_the_record_of_the_new_one()
    {
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        _node.Runtime.On(PullImage, async call =>
        {
            await call.ReadRequestAsync();
            Interlocked.Increment(ref _started);
            await _finish.Task;
            await call.AnswerAsync(Message(Field(1, "sha256:" + new string('a', 64))));
        });
        _node.Configure($"address: {registry.Address}\n");
        await _node.Start();
        var pull = (await RawCaller.ConnectAsync(_node.SocketPath)).Start(PullImage);
        await pull.SendMessageAsync(Message(Field(1, Message(Field(1, "nginx:1.25")))), end: true);
        await Wait.Until(() => Volatile.Read(ref _started) > 0, "the runtime pulls");
        await _node.HandOver();
        ((int)(await _node.Status())["state"]!["pulls"]!).ShouldBe(0);
        _finish.SetResult();
        (await pull.ReadAnswerAsync()).Status.ShouldBe(0);
        await Wait.Until(async () => (int)(await _node.Status())["state"]!["pulls"]! == 1, "it is known");
        await _node.FirstEnds();
        ServingNode.Signal(await _node.Pid(), SigTerm); // which writes it
        await Wait.Until(() => _node.Living().Length == 0);
        (await _node.Record()).ShouldContain($"{registry.Host}/library/nginx:1.25");
    }

    [Fact]
    public async Task Metrics_answer_at_every_moment_and_count_it()
    {
        var port = FreePort();
        _node.Configure($"metrics: 127.0.0.1:{port}\n");
        await _node.Start();
        using var http = new HttpClient();
        using var enough = new CancellationTokenSource();
        var page = new Uri($"http://127.0.0.1:{port}/metrics");
        async Task Scrape()
        {
            while (!enough.IsCancellationRequested)
                (await http.GetStringAsync(page, TestContext.Current.CancellationToken)).ShouldContain("image_cri_shim_build_info");
        }

        var scraping = Scrape();
        for (var handover = 0; handover < 5; handover++)
            await _node.HandOver();
        await enough.CancelAsync();
        await scraping;
        (await http.GetStringAsync(page, TestContext.Current.CancellationToken)).ShouldContain("image_cri_shim_handovers_total{result=\"ok\"} 1");
    }

    [Fact]
    public async Task The_file_of_the_socket_stays_until_the_last_process_ends()
    {
        await _node.Start();
        await _node.HandOver();
        await _node.FirstEnds();
        File.Exists(_node.SocketPath).ShouldBeTrue();
        ServingNode.Signal(await _node.Pid(), SigTerm);
        await Wait.Until(() => _node.Living().Length == 0);
        File.Exists(_node.SocketPath).ShouldBeFalse();
    }

    private async Task<RawStream> StartCall()
    {
        var before = Volatile.Read(ref _started);
        var slow = (await RawCaller.ConnectAsync(_node.SocketPath)).Start(Slow);
        await slow.SendMessageAsync([1], end: true);
        await Wait.Until(() => Volatile.Read(ref _started) > before, "the call is there");
        return slow;
    }

    private async Task Pull(string image)
    {
        await using var caller = await RawCaller.ConnectAsync(_node.SocketPath);
        (await caller.CallAsync(PullImage, Message(Field(1, Message(Field(1, image)))))).Status.ShouldBe(0);
    }

    /// <returns>The process that serves now.</returns>
    private async Task<int> HandOverBySignal(int process)
    {
        const int sigHup = 1;
        var (before, handovers) = (_node.Living(), CountTakeovers());
        _node.InstallAgain();
        ServingNode.Signal(process, sigHup);
        await Wait.Until(() => CountTakeovers() > handovers, "another one has taken over");
        return _node.Living().Except(before).Single();
        int CountTakeovers() => _node.Output.Split("took over from another process").Length;
    }

    private async Task Call()
    {
        await using var caller = await RawCaller.ConnectAsync(_node.SocketPath);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    private async Task<int> CallUntil(CancellationToken enough)
    {
        var calls = 0;
        for (; !enough.IsCancellationRequested; calls++)
            await Call();
        return calls;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
