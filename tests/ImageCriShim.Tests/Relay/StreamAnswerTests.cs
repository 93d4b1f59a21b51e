using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

public sealed class StreamAnswerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ~ text!", "plain ~ text!")]
    [InlineData("100% sure", "100%25 sure")]
    [InlineData("two\r\nlines\t", "two%0D%0Alines%09")]
    [InlineData("größe", "gr%C3%B6%C3%9Fe")]
    [InlineData("\u007f", "%7F")]
    [InlineData("🐳", "%F0%9F%90%B3")]
    public void A_message_is_percent_encoded_and_any_client_can_read_it(string message, string encoded)
    {
        StreamAnswer.PercentEncode(message).ShouldBe(encoded);
        Uri.UnescapeDataString(encoded).ShouldBe(message);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_no_character() => StreamAnswer.PercentEncode("a\ud800").ShouldBe("a%EF%BF%BD");

    [Fact]
    public void An_error_is_trailers_only()
    {
        var answer = StreamAnswer.Error(GrpcCode.Unavailable, "no runtime: 100%");
        answer.Body.ShouldBeNull();
        new HpackDecoder().Decode(answer.EncodeTrailers().Span).ShouldBe(
            [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-message", "no runtime: 100%25")]);
    }

    [Fact]
    public void An_answer_has_headers_and_trailers_with_repeated_and_binary_metadata()
    {
        var answer = new StreamAnswer([new("a", "1"), new("a", "2"), new("b-bin", "\u0000\u00ff")], new byte[5], [new("grpc-status", "0"), new("c", "")]);
        new HpackDecoder().Decode(answer.EncodeHeaders().Span).ShouldBe(
            [(":status", "200"), ("content-type", "application/grpc"), ("a", "1"), ("a", "2"), ("b-bin", "\u0000\u00ff")]);
        new HpackDecoder().Decode(answer.EncodeTrailers().Span).ShouldBe([("grpc-status", "0"), ("c", "")]);
    }

    [Fact]
    public void A_caller_that_lowered_its_table_size_is_told_that_no_table_is_used()
    {
        // RFC 7541 section 4.2: a change of the maximum size is signalled at the beginning of the next block; nghttp2 (Node) insists.
        const byte updateToZero = 0x20;
        StreamAnswer.Error(GrpcCode.Internal, "").EncodeTrailers().Span[0].ShouldBe(updateToZero);
        var answer = new StreamAnswer([], new byte[5], [new("grpc-status", "0")]);
        answer.EncodeHeaders().Span[0].ShouldBe(updateToZero);
        answer.EncodeTrailers().Span[0].ShouldNotBe(updateToZero);
    }
}
