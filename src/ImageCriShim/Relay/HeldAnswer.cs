using System.Buffers;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// The runtime's answer to a watched call, kept until it is whole. Its header blocks stand alone (the runtime was told to use no
/// dynamic table), so it can be passed on later, or not at all.
/// </summary>
internal sealed class HeldAnswer
{
    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly List<byte[]> _headers = [];
    private byte[]? _trailers;
    private bool _bodyBegun;

    /// <summary>The gRPC frames.</summary>
    internal ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    /// <summary>What it holds, counted as <see cref="Cost"/> does.</summary>
    internal int Octets { get; private set; }

    /// <summary>An empty block costs, too: a runtime may send any number of them.</summary>
    internal static int Cost(ReadOnlySpan<byte> block) => block.Length + HeaderField.Overhead;

    internal void AddHeaderBlock(ReadOnlySpan<byte> block, bool endsStream)
    {
        Octets += Cost(block);
        if (endsStream || _bodyBegun)
            _trailers = block.ToArray();
        else
            _headers.Add(block.ToArray());
    }

    internal void AddData(ReadOnlySpan<byte> data)
    {
        _bodyBegun = true;
        _body.Write(data);
        Octets += data.Length;
    }

    /// <summary>How its messages are compressed: the value of <c>grpc-encoding</c>.</summary>
    internal string? FindEncoding() => AnswerHeaders.FindEncoding(_headers);

    /// <summary>The status that it ends with; UNKNOWN where it does not say.</summary>
    internal GrpcCode Code => _trailers is null ? GrpcCode.Unknown : AnswerHeaders.FindCode(_trailers);

    /// <summary>The text of an error, as it came; empty where there is none.</summary>
    internal string ErrorText => _trailers is null ? "" : AnswerHeaders.Find([_trailers], "grpc-message"u8) ?? "";

    /// <summary>Sends it on as it came.</summary>
    /// <param name="body">In place of its own.</param>
    /// <param name="andReset">As <see cref="FlowLedger.SendHeaders"/>.</param>
    internal void Replay(int stream, FlowLedger into, ReadOnlyMemory<byte>? body = null, bool andReset = false)
    {
        foreach (var block in _headers)
            into.SendHeaders(stream, body is null ? block : AnswerHeaders.WithoutLength(block), endStream: false);
        if (_bodyBegun)
            into.SendData(stream, body ?? Body, endStream: _trailers is null);
        if (_trailers is not null)
            into.SendHeaders(stream, _trailers, endStream: true, andReset);
    }
}
