using System.IO.Compression;
using ImageCriShim.Cri;

namespace ImageCriShim.Tests.Cri;

public sealed class GrpcMessageTests
{
    private static readonly byte[] s_message = [1, 2, 3, 4];

    [Fact]
    public void A_message_is_read_as_it_was_framed()
    {
        GrpcMessage.TryReadOnly(GrpcMessage.Frame(s_message), NotAsked, out var message).ShouldBeTrue();
        message.ToArray().ShouldBe(s_message);
        GrpcMessage.TryReadOnly(GrpcMessage.Frame([]), NotAsked, out message).ShouldBeTrue();
        message.Length.ShouldBe(0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000")] // half a prefix
    [InlineData("0000000002aa")] // half a message
    [InlineData("0000000001aabb")] // more than one
    [InlineData("00000000000000000000")] // two
    [InlineData("00ffffffff")]
    [InlineData("0200000001aa")] // no such flag
    public void What_is_not_one_whole_message_is_passed_on(string body) =>
        GrpcMessage.TryReadOnly(Convert.FromHexString(body), NotAsked, out _).ShouldBeFalse();

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("deflate", true)]
    [InlineData("snappy", false)]
    [InlineData("identity", false)]
    [InlineData(null, false)]
    public void A_compressed_message_is_inflated_where_its_encoding_is_known(string? encoding, bool isRead)
    {
        GrpcMessage.TryReadOnly(Compressed(s_message, encoding), () => encoding, out var message).ShouldBe(isRead);
        if (isRead)
            message.ToArray().ShouldBe(s_message);
    }

    [Fact]
    public void A_message_that_inflates_beyond_all_bounds_is_passed_on()
    {
        var bomb = Compressed(new byte[64 * 1024 * 1024], "gzip");
        bomb.Length.ShouldBeLessThan(100_000);
        GrpcMessage.TryReadOnly(bomb, () => "gzip", out var message).ShouldBeFalse();
        message.Length.ShouldBe(0);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public void A_bent_or_cut_compressed_message_is_read_or_passed_on_and_throws_nothing(string encoding)
    {
        var random = new Random(2);
        var whole = Compressed([.. Enumerable.Range(0, 300).Select(i => (byte)(i * i))], encoding);
        for (var i = 0; i < 5000; i++)
        {
            var bent = whole[GrpcMessage.PrefixBytes..(random.Next(3) == 0 ? random.Next(GrpcMessage.PrefixBytes, whole.Length) : whole.Length)];
            for (var flips = random.Next(4); flips > 0 && bent.Length > 0; flips--)
                bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
            var framed = GrpcMessage.Frame(bent);
            framed[0] = 1;
            Should.NotThrow(() => GrpcMessage.TryReadOnly(framed, () => encoding, out _));
        }
    }

    private static byte[] Compressed(byte[] message, string? encoding)
    {
        using var packed = new MemoryStream();
        using (Stream packer = encoding == "deflate" ? new ZLibStream(packed, CompressionLevel.Optimal) : new GZipStream(packed, CompressionLevel.Optimal))
            packer.Write(message);
        var framed = GrpcMessage.Frame(packed.ToArray());
        framed[0] = 1;
        return framed;
    }

    private static string? NotAsked() => throw new InvalidOperationException("it is not compressed");
}
