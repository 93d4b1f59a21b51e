using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>RFC 9113 sections 5.2 and 6.9 where two share a receiver's windows. The rules in general are in <see cref="FlowLedgerPropertyTests"/>.</summary>
public sealed class FlowLedgerTests : IDisposable
{
    private const int Whole = 65_535;

    private readonly LedgerOutput _output = new();

    private ImageCriShim.Relay.FlowLedger Ledger => _output.Ledger;

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Without_a_debt_frames_pass_as_they_are_however_many()
    {
        var frames = Enumerable.Range(0, 4).Select(_ => Frame.Data(1, new byte[16_000], padding: 200)).ToArray();
        _output.Forward(frames);
        _output.Read().Select(frame => frame.ToBytes()).ShouldBe(frames.Select(frame => frame.ToBytes()));
    }

    [Fact]
    public void A_sender_that_breaks_the_windows_is_the_receivers_to_judge()
    {
        _output.Forward(Frame.Data(1, new byte[70_000]));
        _output.Read().Single().Payload.Length.ShouldBe(70_000);
    }

    [Fact]
    public void What_we_send_is_cut_into_frames_that_everybody_accepts_and_ends_with_the_last()
    {
        Ledger.Own(1);
        Ledger.SendData(1, new byte[40_000], endStream: true);
        _output.Read().Select(frame => (frame.Payload.Length, frame.EndsStream)).ShouldBe([(16_384, false), (16_384, false), (7_232, true)]);
        Ledger.Owns(1).ShouldBeFalse();
    }

    [Fact]
    public void What_does_not_fit_waits_and_a_part_goes_with_every_update()
    {
        Ledger.Own(1);
        Ledger.SendData(1, new byte[Whole + 30], endStream: false);
        Ledger.SendHeaders(1, [1, 2], endStream: true);
        Octets(_output.Read()).ShouldBe(Whole);
        Ledger.OnConnectionWindowUpdate(20).ShouldBe(0);
        _output.Read().ShouldBeEmpty(); // the stream's window is closed, too
        Ledger.OnStreamWindowUpdate(1, 10).ShouldBeTrue();
        Octets(_output.Read()).ShouldBe(10);
        Ledger.OnStreamWindowUpdate(1, 1000).ShouldBeTrue();
        Octets(_output.Read()).ShouldBe(10);
        Ledger.OnConnectionWindowUpdate(10).ShouldBe(0);
        var last = _output.Read();
        (Octets(last), last[^1].Type, last[^1].EndsStream, last[^1].Payload.Length).ShouldBe((10, FrameType.Headers, true, 2));
    }

    [Fact]
    public void Our_debt_is_repaid_before_the_sender_hears_of_room()
    {
        Ledger.Own(1);
        Ledger.SendData(1, new byte[1000], endStream: true);
        Ledger.OnConnectionWindowUpdate(400).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(7000).ShouldBe(6400);
        Ledger.OnConnectionWindowUpdate(5000).ShouldBe(5000);
    }

    [Theory]
    [InlineData(3000)]
    [InlineData(30_000)]
    public void Taking_a_message_and_sending_as_much_costs_no_frame(int octets)
    {
        Ledger.Own(1);
        for (var i = 0; i < 1000; i++)
        {
            Take(octets).ShouldBe(0);
            Ledger.SendData(1, new byte[octets], endStream: false);
            Ledger.OnStreamWindowUpdate(1, octets);
            Ledger.OnConnectionWindowUpdate(octets + 5000).ShouldBe(octets + 5000);
        }
    }

    /// <summary>grpc-go opens the window by each small message at once, and each frame would wake the sender.</summary>
    [Fact]
    public void A_little_room_waits_until_there_is_more()
    {
        Ledger.OnConnectionWindowUpdate(4000).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(96).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(1).ShouldBe(4097);
        Ledger.OnConnectionWindowUpdate(1).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(5000).ShouldBe(5001);
    }

    [Fact]
    public void Octets_taken_are_credited_before_they_are_half_of_the_senders_room()
    {
        Take(32_767).ShouldBe(0);
        Take(1).ShouldBe(32_768);
        Take(10).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(5000).ShouldBe(5010); // or with the next update that is not small itself
    }

    [Fact]
    public void Octets_taken_are_credited_before_they_are_many_to_a_sender_with_little_room()
    {
        Own(40_000);
        Take(4096 + 40_000).ShouldBe(0); // 40,000 of it have been used already
        Take(1).ShouldBe(4097);
    }

    [Fact]
    public void What_the_sender_sends_on_makes_its_credit_due()
    {
        Take(30_000).ShouldBe(0);
        _output.Forward(Frame.Data(3, Count(2_700)));
        Ledger.TakeDue().ShouldBe(0);
        _output.Forward(Frame.Data(3, Count(100)));
        Ledger.TakeDue().ShouldBe(30_000);
    }

    [Fact]
    public void With_a_debt_a_forwarded_frame_is_split_and_its_padding_is_the_senders_again()
    {
        Own(60_000);
        _output.Forward(Frame.Data(3, Count(8000), end: true, padding: 99));
        var first = _output.Read().Single();
        (first.Payload.Length, first.EndsStream, first.Has(FrameFlags.Padded)).ShouldBe((5535, false, false));
        Ledger.OnConnectionWindowUpdate(60_000 + 9_900).ShouldBe(10_000); // 100 of it are the pad length and 99 octets of padding
        var rest = _output.Read().Single();
        rest.EndsStream.ShouldBeTrue();
        first.Payload.Concat(rest.Payload).ShouldBe(Count(8000));
    }

    [Fact]
    public void Frames_behind_a_parked_one_keep_their_place_and_other_streams_do_not_wait()
    {
        Own(Whole);
        _output.Forward(Frame.Data(3, Count(10)), Frame.Headers(3, [9], end: true), Frame.Headers(5, [8]), Frame.Data(5, []), Frame.Ping(1));
        _output.Read().Select(frame => (frame.Type, frame.Stream)).ShouldBe([(FrameType.Headers, 5), (FrameType.Data, 5), (FrameType.Ping, 0)]);
        Ledger.OnConnectionWindowUpdate(4).ShouldBe(0);
        Ledger.OnConnectionWindowUpdate(6).ShouldBe(0);
        _output.Read().Select(frame => (frame.Type, frame.Stream, frame.Payload.Length)).ShouldBe(
            [(FrameType.Data, 3, 4), (FrameType.Data, 3, 6), (FrameType.Headers, 3, 1)]);
    }

    [Fact]
    public void An_empty_frame_with_END_STREAM_waits_behind_its_streams_data()
    {
        Own(Whole);
        _output.Forward(Frame.Data(3, Count(10)), Frame.Data(3, [], end: true));
        _output.Read().ShouldBeEmpty();
        Ledger.OnConnectionWindowUpdate(100);
        var frames = _output.Read();
        (Octets(frames), frames[^1].EndsStream).ShouldBe((10, true));
    }

    [Fact]
    public void A_reset_overtakes_what_is_parked_and_its_octets_are_the_senders_again()
    {
        Own(Whole);
        _output.Forward(Frame.Data(3, Count(1000)));
        _output.Forward(Frame.RstStream(3, Http2Error.Cancel));
        _output.Read().Single().Type.ShouldBe(FrameType.RstStream);
        Ledger.OnConnectionWindowUpdate(Whole + 9_000).ShouldBe(10_000);
        _output.Read().ShouldBeEmpty();
    }

    [Fact]
    public void Windows_of_our_streams_follow_the_initial_size_also_below_zero()
    {
        Ledger.Own(1);
        Ledger.SendData(1, new byte[1000], endStream: false);
        Ledger.OnInitialWindowSize(500);
        Ledger.SendData(1, new byte[100], endStream: false);
        Ledger.OnStreamWindowUpdate(1, 500);
        Octets(_output.Read()).ShouldBe(1000); // the window is 0 now, was -500
        Ledger.OnInitialWindowSize(530);
        Octets(_output.Read()).ShouldBe(30);
        Ledger.Own(3);
        Ledger.SendData(3, new byte[1000], endStream: false);
        Octets(_output.Read()).ShouldBe(530);
    }

    [Fact]
    public void A_stream_that_was_left_to_the_sender_is_its_own_again()
    {
        Ledger.Own(1);
        Ledger.OnStreamWindowUpdate(1, 5).ShouldBeTrue();
        Ledger.Drop(1);
        Ledger.OnStreamWindowUpdate(1, 5).ShouldBeFalse();
        Ledger.SendData(1, new byte[5], endStream: true);
        _output.Read().ShouldBeEmpty();
    }

    [Fact]
    public void Data_that_came_before_its_stream_began_is_forgotten()
    {
        Own(Whole);
        _output.Forward(Frame.Data(3, Count(10)));
        Ledger.Own(3);
        Ledger.SendHeaders(3, [7], endStream: true);
        _output.Read().Single().Type.ShouldBe(FrameType.Headers);
        Ledger.OnConnectionWindowUpdate(Whole + 9_990).ShouldBe(10_000);
    }

    [Fact]
    public void The_largest_increment_does_not_overflow()
    {
        Ledger.Take(4000);
        Ledger.OnConnectionWindowUpdate(int.MaxValue).ShouldBe(int.MaxValue);
        Ledger.OnConnectionWindowUpdate(97).ShouldBe(4097);
    }

    private int Take(int octets)
    {
        Ledger.Take(octets);
        return Ledger.TakeDue();
    }

    /// <summary>An answer of ours uses this much of the windows.</summary>
    private void Own(int octets)
    {
        Ledger.Own(1);
        Ledger.SendData(1, new byte[octets], endStream: true);
        Octets(_output.Read()).ShouldBe(octets);
    }

    private static int Octets(IEnumerable<Frame> frames) => frames.Where(frame => frame.Type is FrameType.Data).Sum(frame => frame.Payload.Length);

    private static byte[] Count(int octets) => [.. Enumerable.Range(0, octets).Select(i => (byte)(i * 7))];
}
