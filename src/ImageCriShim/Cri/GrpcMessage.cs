using System.Buffers.Binary;
using System.IO.Compression;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>Length-prefixed messages: a flag, four octets of length, the message (gRPC over HTTP/2).</summary>
internal static class GrpcMessage
{
    internal const int PrefixBytes = 5;

    /// <summary>The only message of a unary call.</summary>
    /// <param name="encoding">What <c>grpc-encoding</c> says, null where it is absent; asked for only if the message is compressed.</param>
    /// <returns>False where it is not exactly one whole message, or one that we cannot inflate: it is to be passed on as it is.</returns>
    internal static bool TryReadOnly(ReadOnlyMemory<byte> body, Func<string?> encoding, out ReadOnlyMemory<byte> message)
    {
        message = default;
        if (body.Length < PrefixBytes || BinaryPrimitives.ReadUInt32BigEndian(body.Span[1..]) != body.Length - PrefixBytes)
            return false;
        message = body[PrefixBytes..];
        return body.Span[0] switch
        {
            0 => true,
            1 => TryInflate(encoding(), ref message),
            _ => false,
        };
    }

    /// <summary>Uncompressed, which every peer accepts whatever it announced.</summary>
    internal static byte[] Frame(ReadOnlySpan<byte> message)
    {
        var framed = new byte[PrefixBytes + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed.AsSpan(PrefixBytes));
        return framed;
    }

    private static bool TryInflate(string? encoding, ref ReadOnlyMemory<byte> message)
    {
        try
        {
            using var packed = new MemoryStream(message.ToArray());
            using Stream? inflater = encoding switch
            {
                "gzip" => new GZipStream(packed, CompressionMode.Decompress),
                "deflate" => new ZLibStream(packed, CompressionMode.Decompress),
                _ => null,
            };
            return inflater is not null && TryReadBounded(inflater, out message);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool TryReadBounded(Stream inflater, out ReadOnlyMemory<byte> message)
    {
        using var inflated = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = inflater.Read(buffer)) > 0;)
        {
            inflated.Write(buffer, 0, read);
            if (inflated.Length > RelayLimits.MessageBytes) // a few KiB can inflate to gigabytes
            {
                message = default;
                return false;
            }
        }

        message = inflated.ToArray();
        return true;
    }
}
