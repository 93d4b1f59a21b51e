using System.Text;
using ImageCriShim.Relay;
using Frame = ImageCriShim.Tests.Fakes.Frame;
using Oracle = ImageCriShim.Tests.Fakes.Hpack;

namespace ImageCriShim.Tests.Relay;

public sealed class HeldAnswerTests : IDisposable
{
    private readonly LedgerOutput _output = new();
    private readonly HeldAnswer _answer = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Headers_body_and_trailers_are_sent_on_as_they_came()
    {
        var (early, headers, trailers) = (Oracle.Encode((":status", "103")), Oracle.Encode((":status", "200")), Oracle.Encode(("grpc-status", "0")));
        _answer.AddHeaderBlock(early, endsStream: false);
        _answer.AddHeaderBlock(headers, endsStream: false);
        _answer.AddData("hel"u8);
        _answer.AddData("lo"u8);
        _answer.AddHeaderBlock(trailers, endsStream: true);
        Replay().Select(frame => frame.ToBytes()).ShouldBe(
        [
            Frame.Headers(1, early).ToBytes(),
            Frame.Headers(1, headers).ToBytes(),
            Frame.Data(1, "hello"u8).ToBytes(),
            Frame.Headers(1, trailers, end: true).ToBytes(),
        ]);
    }

    [Fact]
    public void An_answer_of_trailers_alone_stays_one()
    {
        _answer.AddHeaderBlock([1], endsStream: true);
        Replay().Single().ToBytes().ShouldBe(Frame.Headers(1, [1], end: true).ToBytes());
    }

    [Fact]
    public void A_body_may_end_the_stream_even_an_empty_one()
    {
        _answer.AddHeaderBlock([1], endsStream: false);
        _answer.AddData([]);
        Replay().Select(frame => (frame.Type, frame.EndsStream)).ShouldBe([(Fakes.FrameType.Headers, false), (Fakes.FrameType.Data, true)]);
    }

    [Fact]
    public void The_encoding_is_found_in_any_header_block()
    {
        _answer.FindEncoding().ShouldBeNull();
        _answer.AddHeaderBlock(Oracle.Encode((":status", "103")), endsStream: false);
        _answer.AddHeaderBlock(Oracle.Encode((":status", "200"), ("grpc-encoding", "gzip")), endsStream: false);
        _answer.FindEncoding().ShouldBe("gzip");
    }

    [Fact]
    public void A_block_that_cannot_be_decoded_names_no_encoding()
    {
        _answer.AddHeaderBlock(Encoding.ASCII.GetBytes("\u0080"), endsStream: false); // '?' : a literal cut off
        _answer.AddHeaderBlock([0xbe], endsStream: false); // of a dynamic table, which the runtime was told not to use
        _answer.FindEncoding().ShouldBeNull();
    }

    private List<Frame> Replay()
    {
        _output.Ledger.Own(1);
        _answer.Replay(1, _output.Ledger);
        return _output.Read();
    }
}
