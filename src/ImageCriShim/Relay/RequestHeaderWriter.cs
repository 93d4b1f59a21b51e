using System.Buffers;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// Request headers written anew, as literals without indexing, for a connection on which one had to change. From the first such
/// block on the runtime's table no longer follows the caller's encoder, so every later block is written anew as well.
/// </summary>
internal sealed class RequestHeaderWriter
{
    private bool _begun;

    /// <param name="header">Of the HEADERS frame as received.</param>
    /// <param name="route">What is to change: a new path, or a body that will be edited and whose announced length may go wrong.</param>
    internal ReadOnlyMemory<byte> Write(FrameHeader header, IReadOnlyList<HeaderField> fields, CallRoute route)
    {
        var block = new ArrayBufferWriter<byte>(512);
        if (!_begun)
            HpackEncoder.WriteTableSizeZero(block); // frees the table, and tells of any lower limit that the runtime has set since
        _begun = true;
        foreach (var field in fields)
        {
            if (route.Call is not null && field.IsNamed("content-length"u8))
                continue;
            var renamed = !route.Path.IsEmpty && field.IsNamed(":path"u8);
            HpackEncoder.WriteLiteral(block, renamed ? field with { Value = route.Path } : field);
        }

        var frames = new ArrayBufferWriter<byte>(block.WrittenCount + FrameHeader.Size);
        Frames.WriteHeaders(frames, header.StreamId, block.WrittenSpan, header.EndsStream);
        return frames.WrittenMemory;
    }
}
