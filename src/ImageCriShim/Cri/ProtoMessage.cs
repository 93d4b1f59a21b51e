using System.Buffers;
using System.Text;

namespace ImageCriShim.Cri;

/// <summary>
/// The fields of a protobuf message, walked in place: what is not asked for is copied octet by octet, so fields of later CRI
/// releases survive an edit (protobuf encoding, "Message Structure").
/// </summary>
internal static class ProtoMessage
{
    internal const int LengthDelimited = 2;

    /// <summary>A string or an embedded message. Of several the last counts for a string (protobuf encoding, "Last One Wins").</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static bool TryFind(ReadOnlySpan<byte> message, int field, out ReadOnlySpan<byte> value)
    {
        value = default;
        var found = false;
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (fields.Number != field || fields.WireType != LengthDelimited)
                continue;
            value = fields.Value;
            found = true;
        }

        return found;
    }

    /// <summary>The text of a string field, or an empty one where it is absent.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static string GetString(ReadOnlySpan<byte> message, int field) =>
        TryFind(message, field, out var value) ? Encoding.UTF8.GetString(value) : "";

    /// <summary>An embedded message. Several are merged, which for protobuf is the same as concatenated.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] GetMessage(ReadOnlySpan<byte> message, int field)
    {
        var merged = new ArrayBufferWriter<byte>();
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (fields.Number == field && fields.WireType == LengthDelimited)
                merged.Write(fields.Value);
        }

        return merged.WrittenSpan.ToArray();
    }

    /// <summary>The embedded messages of a repeated field, in order.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static List<byte[]> GetMessages(ReadOnlySpan<byte> message, int field)
    {
        var found = new List<byte[]>();
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (fields.Number == field && fields.WireType == LengthDelimited)
                found.Add(fields.Value.ToArray());
        }

        return found;
    }

    /// <summary>A copy in which each occurrence of a repeated field has its own value, of which there are as many.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] WithEach(ReadOnlySpan<byte> message, int field, IReadOnlyList<byte[]> values)
    {
        var edited = new ArrayBufferWriter<byte>(message.Length + 16);
        var next = 0;
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (fields.Number == field && fields.WireType == LengthDelimited)
                WriteField(edited, field, values[next++]);
            else
                edited.Write(fields.Whole);
        }

        return edited.WrittenSpan.ToArray();
    }

    /// <summary>A copy in which the field has just this value; everything else is as it was.</summary>
    /// <param name="value">Null: the field is left out.</param>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] With(ReadOnlySpan<byte> message, int field, byte[]? value)
    {
        var edited = new ArrayBufferWriter<byte>(message.Length + (value?.Length ?? 0) + 16);
        var pending = value;
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (fields.Number != field || fields.WireType != LengthDelimited)
                edited.Write(fields.Whole);
            else
                Write(edited, field, ref pending);
        }

        Write(edited, field, ref pending);
        return edited.WrittenSpan.ToArray();
    }

    /// <inheritdoc cref="With(ReadOnlySpan{byte}, int, byte[])"/>
    internal static byte[] With(ReadOnlySpan<byte> message, int field, string value) =>
        With(message, field, value.Length == 0 ? null : Encoding.UTF8.GetBytes(value));

    /// <summary>A string or an embedded message, behind what was written before.</summary>
    internal static void WriteField(IBufferWriter<byte> into, int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(into, (uint)field << 3 | LengthDelimited);
        WriteVarint(into, (uint)value.Length);
        into.Write(value);
    }

    private static void Write(ArrayBufferWriter<byte> into, int field, ref byte[]? value)
    {
        if (value is null)
            return;
        WriteField(into, field, value);
        value = null; // once
    }

    private static void WriteVarint(IBufferWriter<byte> into, uint value)
    {
        for (; value >= 0x80; value >>= 7)
            into.Write([(byte)(value | 0x80)]);
        into.Write([(byte)value]);
    }
}

/// <summary>Not protobuf, or cut off.</summary>
internal sealed class MalformedMessageException(string message) : Exception(message);
