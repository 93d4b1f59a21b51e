using System.Buffers;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>What has arrived of the runtime's answer to a call of ours.</summary>
internal sealed class RuntimeAnswer
{
    /// <summary>Of a call that was given up.</summary>
    internal static readonly RuntimeAnswer Unwanted = new() { IsWhole = true };

    private readonly ArrayBufferWriter<byte> _body = new();

    /// <summary>The HTTP status; empty before the headers.</summary>
    internal string HttpStatus { get; private set; } = "";

    /// <summary>How messages are compressed (<c>grpc-encoding</c>), if any is.</summary>
    internal string? Encoding { get; private set; }

    /// <summary>Its metadata, without what gRPC itself puts there.</summary>
    internal List<KeyValuePair<string, string>> Headers { get; } = [];

    /// <summary>Null until they have come, and then the answer is whole.</summary>
    internal List<KeyValuePair<string, string>>? Trailers { get; private set; }

    internal bool IsWhole { get; private set; }

    /// <summary>The gRPC frames.</summary>
    internal ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    internal void AddData(ReadOnlySpan<byte> data, bool ends)
    {
        _body.Write(data);
        IsWhole |= ends;
    }

    internal void AddBlock(List<HeaderField> fields, bool ends)
    {
        var isHead = HttpStatus.Length == 0;
        var target = ends ? Trailers = [] : Headers;
        foreach (var field in fields)
        {
            var (name, value) = (Text(field.Name), Text(field.Value));
            if (name == ":status" && isHead && !value.StartsWith('1')) // 1xx: the headers are still to come (RFC 9113 section 8.1)
                HttpStatus = value;
            else if (name == "grpc-encoding")
                Encoding = value;
            else if (name is not ("content-type" or "content-length" or "grpc-accept-encoding") && !name.StartsWith(':'))
                target.Add(new(name, value));
        }

        IsWhole |= ends;
    }

    private static string Text(ReadOnlyMemory<byte> octets) => System.Text.Encoding.Latin1.GetString(octets.Span);
}
