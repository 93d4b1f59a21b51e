using System.Buffers;
using System.Globalization;
using System.Text;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>gRPC status codes that the relay itself gives, or counts.</summary>
internal enum GrpcCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>An answer of our own: a 200 with headers, gRPC frames and trailers; without <paramref name="Body"/> the trailers come alone.</summary>
/// <param name="Headers">Lower-case names; <c>:status</c> and <c>content-type</c> are added.</param>
/// <param name="Body">gRPC frames; null for a trailers-only answer.</param>
internal sealed record StreamAnswer(
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    ReadOnlyMemory<byte>? Body,
    IReadOnlyList<KeyValuePair<string, string>> Trailers)
{
    internal GrpcCode Code
    {
        get
        {
            foreach (var (name, value) in Trailers)
            {
                if (name == "grpc-status" && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
                    return (GrpcCode)code;
            }

            return GrpcCode.Unknown;
        }
    }

    /// <param name="body">The gRPC frames of the response; null for a stream without messages.</param>
    internal static StreamAnswer Ok(ReadOnlyMemory<byte>? body) => new([], body, [new("grpc-status", "0")]);

    internal static StreamAnswer Error(int code, string message) =>
        new([], null, [new("grpc-status", $"{code}"), new("grpc-message", PercentEncode(message))]);

    internal static StreamAnswer Error(GrpcCode code, string message) => Error((int)code, message);

    /// <summary>Sends it, or its end where the caller has the headers of another already.</summary>
    internal void Send(TakenStream stream, FlowLedger into)
    {
        var hasBegun = stream.Messages is { HasBegun: true };
        if (Body is { } body && !hasBegun)
        {
            into.SendHeaders(stream.Id, EncodeHeaders().Span, endStream: false);
            into.SendData(stream.Id, body, endStream: false);
        }

        var trailers = hasBegun ? EncodeTrailersAlone() : EncodeTrailers();
        into.SendHeaders(stream.Id, trailers.Span, endStream: true, andReset: !stream.CallerEnded);
    }

    internal ReadOnlyMemory<byte> EncodeHeaders()
    {
        var block = new ArrayBufferWriter<byte>();
        WriteHead(block);
        return block.WrittenMemory;
    }

    internal ReadOnlyMemory<byte> EncodeTrailers()
    {
        var block = new ArrayBufferWriter<byte>();
        if (Body is null)
            WriteHead(block);
        WriteTrailers(block);
        return block.WrittenMemory;
    }

    /// <summary>Behind headers that the caller has already.</summary>
    internal ReadOnlyMemory<byte> EncodeTrailersAlone()
    {
        var block = new ArrayBufferWriter<byte>();
        WriteTrailers(block);
        return block.WrittenMemory;
    }

    /// <summary>gRPC over HTTP/2, "Percent-Encoded": printable ASCII but % stays as it is.</summary>
    internal static string PercentEncode(string message)
    {
        var encoded = new StringBuilder(message.Length);
        foreach (var octet in Encoding.UTF8.GetBytes(message))
        {
            if (octet is >= 0x20 and <= 0x7E and not (byte)'%')
                encoded.Append((char)octet);
            else
                encoded.Append('%').Append(octet.ToString("X2"));
        }

        return encoded.ToString();
    }

    private void WriteTrailers(ArrayBufferWriter<byte> block)
    {
        foreach (var (name, value) in Trailers)
            HpackEncoder.WriteLiteral(block, name, value);
    }

    private void WriteHead(ArrayBufferWriter<byte> block)
    {
        HpackEncoder.WriteTableSizeZero(block); // due if the caller's SETTINGS lowered the size (RFC 7541 section 4.2), legal if not
        HpackEncoder.WriteIndexed(block, StaticTable.Status200);
        HpackEncoder.WriteLiteral(block, "content-type", "application/grpc");
        foreach (var (name, value) in Headers)
            HpackEncoder.WriteLiteral(block, name, value);
    }
}
