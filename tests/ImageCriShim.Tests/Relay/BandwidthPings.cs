using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>A grpc-go runtime measures the bandwidth of requests; all other PINGs are between the peers.</summary>
public sealed class BandwidthPings : RelayTest
{
    private const ulong OfBandwidth = 0x0204_1010_090e_0707;

    [Fact]
    public async Task Are_answered_with_the_next_request_and_the_caller_hears_nothing_of_them()
    {
        var (caller, runtime) = await Begin();
        (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        runtime.Send(Frame.Ping(OfBandwidth));
        runtime.Send(Frame.Ping(7));
        await caller.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(7)));
        caller.Connection.Received.ShouldNotContain(frame => frame.SameAs(Frame.Ping(OfBandwidth)));

        (await caller.CallAsync("/test.Fake/Unary", [2])).Single.ShouldBe([2]);

        await runtime.WaitForFrame(frame => frame.SameAs(Frame.Ping(OfBandwidth, ack: true)));
        (await caller.CallAsync("/test.Fake/Unary", [3])).Single.ShouldBe([3]);
        runtime.Received.Count(frame => frame.SameAs(Frame.Ping(OfBandwidth, ack: true))).ShouldBe(1);
    }

    [Fact]
    public async Task One_more_before_that_is_the_callers()
    {
        var (caller, runtime) = await Begin();
        runtime.Send(Frame.Ping(OfBandwidth));
        runtime.Send(Frame.Ping(OfBandwidth));
        await caller.Connection.WaitForFrame(frame => frame.SameAs(Frame.Ping(OfBandwidth)));
        await runtime.WaitForFrame(frame => frame.SameAs(Frame.Ping(OfBandwidth, ack: true)));
        (await caller.CallAsync("/edit/Watch", [1, 2])).Single.ShouldBe([2, 1]);
        await Wait.Until(() => runtime.Received.Count(frame => frame.SameAs(Frame.Ping(OfBandwidth, ack: true))) == 2, "both are answered");
    }
}
