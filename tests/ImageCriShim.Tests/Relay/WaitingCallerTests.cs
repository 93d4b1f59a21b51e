using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using Frame = ImageCriShim.Tests.Fakes.Frame;

namespace ImageCriShim.Tests.Relay;

/// <summary>How long a caller is held while the runtime is away.</summary>
public sealed class WaitingCallerTests : IDisposable
{
    private readonly FakeTime _time = new();
    private readonly SocketPair _pair = new();
    private readonly WaitingCaller _waiting;

    public WaitingCallerTests() => _waiting = new WaitingCaller(_pair.Far, _time);

    public void Dispose() => _pair.Dispose();

    public static TheoryData<string?, double> Deadlines => new()
    {
        { null, 3 }, // seconds
        { "2M", 3 },
        { "3500m", 3 },
        { "3S", 2.75 },
        { "2S", 1.75 }, // crictl's
        { "1900000u", 1.65 },
        { "400m", 0.3 },
        { "20m", 0.015 },
        { "0m", 0 },
        { "soon", 3 }, // no deadline (gRPC over HTTP/2, "Timeout")
    };

    [Theory]
    [MemberData(nameof(Deadlines))]
    public void Three_seconds_or_until_a_little_before_its_deadline(string? timeout, double seconds)
    {
        Send([.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes(), .. Call(1, timeout)]);
        ShouldWaitFor(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public void The_nearest_deadline_of_its_calls_counts_from_when_the_call_came()
    {
        Send([.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes(), .. Call(1, null), .. Call(3, "2900m")]);
        _waiting.GoesOnWaiting().ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(1));
        Send(Call(5, "1S"));
        ShouldWaitFor(TimeSpan.FromSeconds(0.75));
    }

    [Fact]
    public void While_the_runtime_is_asked_it_gets_SETTINGS_after_half_a_second_and_waits_for_as_long_as_that_takes()
    {
        _waiting.GoesOnWaitingForRelay().ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(0.49));
        _waiting.GoesOnWaitingForRelay().ShouldBeTrue();
        _waiting.Received.ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(0.01));
        _waiting.GoesOnWaitingForRelay().ShouldBeTrue();
        _pair.Near.Receive(new byte[100]).ShouldBe(Frame.HeaderLength);
        _time.Advance(TimeSpan.FromMinutes(5));
        _waiting.GoesOnWaitingForRelay().ShouldBeTrue();
        _pair.Near.End();
        _waiting.GoesOnWaitingForRelay().ShouldBeFalse();
    }

    [Fact]
    public void It_gets_SETTINGS_at_once_and_only_once()
    {
        _waiting.GoesOnWaiting().ShouldBeTrue(); // it has sent nothing yet
        _waiting.GoesOnWaiting().ShouldBeTrue();
        var received = new byte[100];
        _pair.Near.Receive(received).ShouldBe(Frame.HeaderLength);
        received[3].ShouldBe((byte)Fakes.FrameType.Settings);
    }

    [Fact]
    public void What_it_sends_is_kept_whole_wherever_it_is_cut()
    {
        byte[] all = [.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes(), .. Call(1, "2S"), .. Frame.Data(1, new byte[100], end: true).ToBytes()];
        foreach (var part in all.Chunk(7))
        {
            Send(part);
            _waiting.GoesOnWaiting().ShouldBeTrue();
        }

        _waiting.Received!.Unread.ToArray().ShouldBe(all);
        ShouldWaitFor(TimeSpan.FromSeconds(1.75));
    }

    [Fact]
    public void Of_a_caller_that_sends_without_end_a_part_is_read()
    {
        _pair.Near.Blocking = false;
        Send([.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes()]);
        var pings = Enumerable.Repeat(Frame.Ping(1).ToBytes(), 2000).SelectMany(bytes => bytes).ToArray();
        for (var i = 0; i < 100; i++)
        {
            _pair.Near.Send(pings, SocketFlags.None, out _);
            _waiting.GoesOnWaiting().ShouldBeTrue();
        }

        _waiting.Received!.Unread.Length.ShouldBeInRange(RelayLimits.WaitingBytes, 2 * RelayLimits.WaitingBytes);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish that is not a frame of HTTP/2 at all, for a while")]
    public void One_that_does_not_speak_HTTP_2_is_held_as_well(string text)
    {
        Send(System.Text.Encoding.ASCII.GetBytes(text));
        ShouldWaitFor(RuntimeSocket.Patience);
    }

    [Fact]
    public void One_that_has_ended_its_side_may_still_wait_for_answers()
    {
        Send([.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes(), .. Call(1, null)]);
        _pair.Near.Shutdown(SocketShutdown.Send);
        ShouldWaitFor(RuntimeSocket.Patience);
    }

    [Fact]
    public void One_that_is_gone_is_not_held()
    {
        Send([.. RawConnection.Preface, .. Frame.SettingsOf().ToBytes(), .. Call(1, null)]);
        _pair.Near.End();
        _waiting.GoesOnWaiting().ShouldBeFalse();
    }

    private void ShouldWaitFor(TimeSpan time)
    {
        if (time > TimeSpan.Zero)
        {
            _waiting.GoesOnWaiting().ShouldBeTrue();
            _time.Advance(time - TimeSpan.FromMilliseconds(1));
            _waiting.GoesOnWaiting().ShouldBeTrue();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        _waiting.GoesOnWaiting().ShouldBeFalse();
    }

    private void Send(byte[] bytes) => _pair.Near.Send(bytes);

    private static byte[] Call(int stream, string? timeout)
    {
        Header[] fields = [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "localhost")];
        var block = Fakes.Hpack.Encode(timeout is null ? fields : [.. fields, ("grpc-timeout", timeout)]);
        return Frame.Headers(stream, block).ToBytes();
    }
}
