using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>Messages of protobuf as trees, to be bent and compared.</summary>
internal static class ProtoMessages
{
    /// <summary>Whether another reader than the shim's reads it.</summary>
    internal static bool TryRead(byte[] message, out List<ProtoField> fields)
    {
        try
        {
            fields = ProtoFields.Read(message);
            return true;
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or InvalidDataException or OverflowException)
        {
            fields = [];
            return false;
        }
    }

    /// <summary>The octets of all fields but these, embedded messages, one behind the other.</summary>
    internal static byte[] Others(byte[] message, params int[] numbers)
    {
        var others = new List<byte>();
        for (var fields = new ProtoReader(message); fields.Next();)
        {
            if (!numbers.Contains(fields.Number) || fields.WireType != ProtoMessage.LengthDelimited)
                others.AddRange(fields.Whole);
        }

        return [.. others];
    }

    /// <summary>As the other reader finds them.</summary>
    internal static List<byte[]> Embedded(byte[] message, int number) =>
        [.. ProtoFields.Read(message).Where(field => field.Number == number
        && field.WireType == ProtoMessage.LengthDelimited).Select(field => field.Bytes)];

    /// <summary>Leaves out, repeats, adds or changes a field somewhere; the lengths around it are right.</summary>
    internal static byte[] Mutate(Mutator mutator, byte[] message, byte[] other, int depth = 0)
    {
        var random = mutator.Random;
        if (!TryRead(message, out var read) || read.Count == 0)
            return mutator.Mutate(message, other);
        List<byte[]> fields = [.. read.Select(Write)];
        var at = random.Next(fields.Count);
        switch (random.Next(depth > 5 ? 5 : 9))
        {
            case 0:
                fields.RemoveAt(at);
                break;
            case 1:
                fields.Insert(random.Next(fields.Count + 1), fields[at]);
                break;
            case 2:
                fields.Insert(at, mutator.AnyWord());
                break;
            case 3:
                fields[at] = ProtoFields.Field(random.Next(1, 20), read[at].Bytes);
                break;
            case 4:
                fields.Insert(at, TryRead(other, out var others) && others.Count > 0
                    ? Write(others[random.Next(others.Count)]) : ProtoFields.Field(random.Next(1, 2000), (ulong)random.NextInt64()));
                break;
            default:
                if (read[at].WireType == ProtoMessage.LengthDelimited)
                    fields[at] = ProtoFields.Field(read[at].Number, Mutate(mutator, read[at].Bytes, other, depth + 1));
                else
                    fields[at] = ProtoFields.Field(Math.Max(1, read[at].Number), (ulong)random.NextInt64());
                break;
        }

        return [.. fields.SelectMany(field => field)];
    }

    private static byte[] Write(ProtoField field) => field.WireType switch
    {
        0 => ProtoFields.Field(field.Number, field.Value),
        ProtoMessage.LengthDelimited => ProtoFields.Field(field.Number, field.Bytes),
        _ => [.. Tag(field), .. field.Bytes],
    };

    private static byte[] Tag(ProtoField field)
    {
        var varint = ProtoFields.Field(field.Number, 0UL)[..^1];
        varint[0] = (byte)(varint[0] | field.WireType);
        return varint;
    }
}
