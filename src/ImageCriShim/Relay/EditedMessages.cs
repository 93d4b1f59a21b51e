using System.Buffers;
using System.Buffers.Binary;

namespace ImageCriShim.Relay;

/// <summary>An answer that is edited message by message: what has come of the next one (gRPC over HTTP/2, "Length-Prefixed-Message").</summary>
internal sealed class EditedMessages
{
    private const int PrefixBytes = 5;

    private readonly ArrayBufferWriter<byte> _partial = new();
    private readonly List<byte[]> _headers = [];
    private int _taken; // octets at the front that have gone

    /// <summary>Whether the caller has the headers, so that the answer can only end with trailers.</summary>
    internal bool HasBegun => _headers.Count > 0;

    /// <summary>Octets that wait for the rest of their message.</summary>
    internal int Waiting => _partial.WrittenCount - _taken;

    internal void AddHeaderBlock(ReadOnlySpan<byte> block) => _headers.Add(block.ToArray());

    internal string? FindEncoding() => AnswerHeaders.FindEncoding(_headers);

    internal void Add(ReadOnlySpan<byte> data) => _partial.Write(data);

    /// <param name="message">With its prefix; stays valid.</param>
    internal bool TryTake(out ReadOnlyMemory<byte> message)
    {
        message = default;
        var waiting = _partial.WrittenSpan[_taken..];
        if (waiting.Length < PrefixBytes || BinaryPrimitives.ReadUInt32BigEndian(waiting[1..]) is var length && length > waiting.Length - PrefixBytes)
        {
            Compact();
            return false;
        }

        message = waiting[..(PrefixBytes + (int)length)].ToArray();
        _taken += message.Length;
        return true;
    }

    /// <summary>What never became a message.</summary>
    internal ReadOnlyMemory<byte> TakeRest()
    {
        var rest = _partial.WrittenSpan[_taken..].ToArray();
        _taken = _partial.WrittenCount;
        return rest;
    }

    private void Compact()
    {
        if (_taken == 0)
            return;
        var rest = TakeRest();
        _partial.ResetWrittenCount();
        _partial.Write(rest.Span);
        _taken = 0;
    }
}
