using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>Requests that are edited before the runtime gets them, and answers that are replaced.</summary>
public sealed class EditedBodies : RelayTest
{
    [Theory]
    [InlineData(10, 10)]
    [InlineData(10, 500_000)] // more than any window
    [InlineData(500_000, 10)]
    public async Task The_runtime_gets_the_prepared_request_and_the_caller_the_runtimes_answer(int before, int after)
    {
        Edits.Edit = _ => [.. Enumerable.Repeat((byte)5, after - 1), 6];
        var (caller, _) = await Begin();
        var answer = await caller.CallAsync("/edit/Prepare", new byte[before]);
        answer.Single.ShouldBe(FakeEdits.Reverse(Edits.Edit([])));
        Runtime.CallsOf("Prepare").Single().Requests.Single().Length.ShouldBe(after);
    }

    [Fact]
    public async Task What_waits_to_be_prepared_holds_nobody_else_up()
    {
        var goOn = new TaskCompletionSource();
        Edits.BeforePrepare = _ => goOn.Task;
        var (caller, _) = await Begin();
        var prepared = caller.CallAsync("/edit/Prepare", [1, 2]);
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        prepared.IsCompleted.ShouldBeFalse();
        goOn.SetResult();
        (await prepared).Single.ShouldBe([2, 1]);
    }

    [Fact]
    public async Task A_caller_that_leaves_meanwhile_ends_the_preparation_and_the_runtimes_stream()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Edits.BeforePrepare = async cancellation =>
        {
            await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
            cancelled.SetResult();
            cancellation.ThrowIfCancellationRequested();
        };
        var (caller, runtime) = await Begin();
        var stream = caller.Start("/edit/Prepare");
        await stream.SendMessageAsync([1], end: true);
        await runtime.WaitForFrame(FrameType.Headers);
        await caller.Connection.PingAsync();
        stream.Cancel();
        await cancelled.Task.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);
        await runtime.WaitForFrame(FrameType.RstStream);
    }

    [Fact]
    public async Task A_runtime_that_refuses_meanwhile_is_heard()
    {
        var goOn = new TaskCompletionSource();
        Edits.BeforePrepare = _ => goOn.Task;
        var (caller, _) = await Begin();
        Runtime.On("/edit/Prepare", call =>
        {
            call.Fail(8, "too busy");
            return Task.CompletedTask;
        });
        (await caller.CallAsync("/edit/Prepare", [1])).Status.ShouldBe(8);
        goOn.SetResult();
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_defect_in_preparing_lets_the_request_pass_as_it_came()
    {
        Expect("this is a defect");
        Edits.Edit = _ => throw new InvalidOperationException("of this test");
        var (caller, _) = await Begin();
        (await caller.CallAsync("/edit/Prepare", [1, 2, 3])).Single.ShouldBe([3, 2, 1]);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3_000_000)]
    public async Task An_answer_is_replaced_whatever_its_length_and_headers_and_trailers_stay(int size)
    {
        Edits.Edit = _ => new byte[size];
        var (caller, _) = await Begin();
        Runtime.On("/edit/Replace", async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders(("content-length", "7"), ("kept", "header"));
            await call.SendAsync([1, 2]);
            call.Finish(("kept", "trailer"));
        });
        var answer = await caller.CallAsync("/edit/Replace", [1]);
        answer.Single.Length.ShouldBe(size);
        answer.Headers.ShouldContain(("kept", "header"));
        answer.Headers.ShouldNotContain(field => field.Name == "content-length");
        answer.Trailers.ShouldContain(("kept", "trailer"));
    }

    [Fact]
    public async Task A_defect_in_replacing_lets_the_answer_pass_as_it_came()
    {
        Expect("this is a defect");
        Edits.Edit = _ => throw new InvalidOperationException("of this test");
        var (caller, _) = await Begin();
        (await caller.CallAsync("/edit/Replace", [1, 2])).Single.ShouldBe([2, 1]);
    }
}
