using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>One field of a protobuf message; <see cref="Bytes"/> is empty unless it is length-delimited.</summary>
public readonly record struct ProtoField(int Number, int WireType, ulong Value, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);
}

/// <summary>Protobuf by hand: enough for CRI messages, and independent of the generated classes that the shim uses.</summary>
public static class ProtoFields
{
    public static byte[] Message(params byte[][] fields) => [.. fields.SelectMany(field => field)];

    public static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    public static byte[] Field(int number, byte[] bytes)
    {
        var field = new List<byte>();
        AddVarint(field, (ulong)number << 3 | 2);
        AddVarint(field, (ulong)bytes.Length);
        field.AddRange(bytes);
        return [.. field];
    }

    public static byte[] Field(int number, ulong value)
    {
        var field = new List<byte>();
        AddVarint(field, (ulong)number << 3);
        AddVarint(field, value);
        return [.. field];
    }

    public static List<ProtoField> Read(ReadOnlySpan<byte> message)
    {
        var fields = new List<ProtoField>();
        while (message.Length > 0)
        {
            var key = ReadVarint(ref message);
            var (number, wireType) = ((int)(key >> 3), (int)(key & 7));
            var value = wireType switch
            {
                0 or 2 => ReadVarint(ref message),
                1 => 8UL,
                5 => 4UL,
                _ => throw new InvalidDataException($"wire type {wireType}"),
            };
            if (wireType == 0)
            {
                fields.Add(new(number, wireType, value, []));
                continue;
            }

            fields.Add(new(number, wireType, 0, message[..(int)value].ToArray()));
            message = message[(int)value..];
        }

        return fields;
    }

    /// <summary>The last field on a path of numbers of nested messages, or null.</summary>
    public static byte[]? Find(byte[] message, params ReadOnlySpan<int> path)
    {
        byte[]? found = message;
        foreach (var number in path)
        {
            if (found is null) return null;
            found = Read(found).Where(field => field.Number == number && field.WireType == 2).Select(field => field.Bytes).LastOrDefault();
        }

        return found;
    }

    public static string FindText(byte[] message, params ReadOnlySpan<int> path) => Encoding.UTF8.GetString(Find(message, path) ?? []);

    private static void AddVarint(List<byte> bytes, ulong value)
    {
        for (; value >= 128; value >>= 7) bytes.Add((byte)(value & 0x7f | 0x80));
        bytes.Add((byte)value);
    }

    private static ulong ReadVarint(ref ReadOnlySpan<byte> message)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[0];
            message = message[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if ((next & 0x80) == 0) return value;
        }
    }
}
