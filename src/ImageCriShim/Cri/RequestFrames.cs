using System.Buffers;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>What a client says before the message of a call (RFC 9113).</summary>
internal static class RequestFrames
{
    private const int DefaultWindow = 65_535; // section 6.9.2

    /// <summary>Before the first call of a connection (section 3.4): no table for the runtime's headers, and room for its answers.</summary>
    internal static void WriteBeginning(IBufferWriter<byte> into, int receiveWindow)
    {
        var settings = new SettingsFrame();
        settings.Set(SettingsFrame.HeaderTableSize, 0, evenIfAbsent: true);
        settings.Set(SettingsFrame.InitialWindowSize, (uint)receiveWindow, evenIfAbsent: true);
        into.Write(Frames.Preface);
        into.Write(settings.Encode());
        into.Write(Frames.WindowUpdate(0, receiveWindow - DefaultWindow));
    }

    /// <param name="fields">After the pseudo-header fields.</param>
    /// <param name="isFirst">Of its connection.</param>
    internal static void WriteHead(
        IBufferWriter<byte> into, int stream, string path, IReadOnlyList<KeyValuePair<string, string>> fields, bool isFirst)
    {
        var block = new ArrayBufferWriter<byte>(512);
        if (isFirst)
            HpackEncoder.WriteTableSizeZero(block); // no table here either
        HpackEncoder.WriteLiteral(block, ":method", "POST");
        HpackEncoder.WriteLiteral(block, ":scheme", "http");
        HpackEncoder.WriteLiteral(block, ":path", path);
        HpackEncoder.WriteLiteral(block, ":authority", "localhost");
        foreach (var (name, value) in fields)
            HpackEncoder.WriteLiteral(block, name, value);
        Frames.WriteHeaders(into, stream, block.WrittenSpan, endStream: false);
    }
}
