using System.Buffers.Binary;

namespace ImageCriShim.Relay;

/// <summary>A SETTINGS frame on its way (RFC 9113 section 6.5): read, changed where it must, passed on.</summary>
internal sealed class SettingsFrame
{
    internal const ushort HeaderTableSize = 0x1;
    internal const ushort InitialWindowSize = 0x4;
    internal const ushort MaxFrameSize = 0x5;
    private const int EntrySize = 6;

    private readonly List<(ushort Id, uint Value)> _entries = [];

    internal static SettingsFrame Parse(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        if (header.StreamId != 0)
            throw new Http2ProtocolException(ErrorCode.ProtocolError, "a SETTINGS frame is one of a stream");
        if (header.Length % EntrySize != 0)
            throw new Http2ProtocolException(ErrorCode.FrameSizeError, "a SETTINGS frame is malformed");
        var settings = new SettingsFrame();
        for (var rest = frame.Slice(FrameHeader.Size, header.Length); !rest.IsEmpty; rest = rest[EntrySize..])
            settings._entries.Add((BinaryPrimitives.ReadUInt16BigEndian(rest), BinaryPrimitives.ReadUInt32BigEndian(rest[2..])));
        return settings;
    }

    /// <summary>The value in force after this frame: of several the last (RFC 9113 section 6.5.3). Above 2^31-1: none, its receiver will complain.</summary>
    internal int? Find(ushort id)
    {
        var index = _entries.FindLastIndex(entry => entry.Id == id);
        return index >= 0 && _entries[index].Value <= int.MaxValue ? (int)_entries[index].Value : null;
    }

    internal void Set(ushort id, uint value, bool evenIfAbsent)
    {
        if (_entries.RemoveAll(entry => entry.Id == id) > 0 || evenIfAbsent)
            _entries.Add((id, value));
    }

    internal void Lower(ushort id, uint most)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].Id == id && _entries[i].Value > most)
                _entries[i] = (id, most);
        }
    }

    internal byte[] Encode()
    {
        var frame = new byte[FrameHeader.Size + _entries.Count * EntrySize];
        new FrameHeader(frame.Length - FrameHeader.Size, FrameType.Settings, FrameFlags.None, 0).Write(frame);
        var rest = frame.AsSpan(FrameHeader.Size);
        foreach (var (id, value) in _entries)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rest, id);
            BinaryPrimitives.WriteUInt32BigEndian(rest[2..], value);
            rest = rest[EntrySize..];
        }

        return frame;
    }
}
