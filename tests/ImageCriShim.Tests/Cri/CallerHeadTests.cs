using System.Text;
using ImageCriShim.Cri;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Tests.Cri;

public sealed class CallerHeadTests
{
    [Fact]
    public void Method_deadline_and_encoding_are_read_and_metadata_is_what_is_left()
    {
        var head = CallerHead.Of(
        [
            Field(":method", "POST"), Field(":path", "/runtime.v1.ImageService/PullImage"), Field(":authority", "%2Frun%2Fx.sock"),
            Field("content-type", "application/grpc"), Field("te", "trailers"), Field("grpc-timeout", "2M"), Field("grpc-encoding", "gzip"),
            Field("grpc-accept-encoding", "gzip"), Field("content-length", "9"), Field("user-agent", "kubelet"), Field("a", "1"), Field("a", "2"),
            Field("b-bin", "\u00ff\u0001"),
        ]);
        (head.Path, head.Timeout, head.Encoding).ShouldBe(("/runtime.v1.ImageService/PullImage", TimeSpan.FromMinutes(2), "gzip"));
        head.Metadata.Select(field => (field.Key, field.Value)).ShouldBe([("user-agent", "kubelet"), ("a", "1"), ("a", "2"), ("b-bin", "\u00ff\u0001")]);
    }

    [Fact]
    public void Nothing_is_no_deadline()
    {
        var head = CallerHead.Of([Field("grpc-timeout", "soon")]);
        (head.Path, head.Timeout, head.Encoding).ShouldBe(("", null, null));
        head.Metadata.ShouldBeEmpty();
    }

    [Fact]
    public void Any_octets_are_read()
    {
        var random = new Random(4);
        for (var i = 0; i < 20_000; i++)
        {
            var octets = new byte[random.Next(20)];
            random.NextBytes(octets);
            var name = (string[])["grpc-timeout", ":path", "te", "x"];
            Should.NotThrow(() => CallerHead.Of([new HeaderField(Encoding.ASCII.GetBytes(name[random.Next(4)]), octets), new HeaderField(octets, octets)]));
        }
    }

    private static HeaderField Field(string name, string value) => new(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
}
