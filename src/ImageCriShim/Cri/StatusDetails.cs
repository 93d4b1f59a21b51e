using System.Buffers;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Cri;

/// <summary>
/// The trailer <c>grpc-status-details-bin</c>: a google.rpc.Status in base64. gRPC libraries that find it take code and message from it
/// instead of from <c>grpc-status</c> and <c>grpc-message</c>, so a status with another message needs details with that message.
/// </summary>
internal static class StatusDetails
{
    internal const string Trailer = "grpc-status-details-bin";
    private const int CodeField = 1;
    private const int MessageField = 2;

    /// <summary>The details of a reply for a status that says something else; those that cannot be read are left out.</summary>
    /// <param name="status">What the caller is told.</param>
    /// <returns>Null where the reply has none.</returns>
    internal static KeyValuePair<string, string>? For(GrpcStatus status, RuntimeReply reply) =>
        Find(reply) is { } details ? Encode(details, status, static _ => true) : null;

    /// <summary>
    /// Those of a reply without what nobody else may see. Its message becomes that of the status; of what else there is, which may be
    /// anything, each part stays as it is or is left out.
    /// </summary>
    /// <param name="status">That of the reply, cleaned.</param>
    /// <param name="reply">As it came.</param>
    /// <param name="sent">What the runtime was given.</param>
    /// <param name="names">What it was asked for.</param>
    internal static KeyValuePair<string, string>? Clean(GrpcStatus status, RuntimeReply reply, SentSecrets sent, EchoedNames names)
    {
        if (Find(reply) is not { } details)
            return null;
        bool IsPlain(ReadOnlyMemory<byte> field) => !RuntimeWords.HoldsSecret(field.Span, sent, names);
        try
        {
            var message = ProtoMessage.GetString(details, MessageField);
            return ForeignText.CleanOfRuntime(message, sent, names) == message && Fields(details).All(IsPlain)
                ? reply.Trailers.First(trailer => trailer.Key == Trailer)
                : Encode(details, status, IsPlain);
        }
        catch (MalformedMessageException)
        {
            return null;
        }
    }

    /// <returns>Null where it is no base64. gRPC over HTTP/2, "Custom-Metadata": with padding or without.</returns>
    internal static byte[]? TryDecode(string value)
    {
        try
        {
            return Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <returns>Null where there are none, or several.</returns>
    private static byte[]? Find(RuntimeReply reply) =>
        reply.Trailers.Where(trailer => trailer.Key == Trailer).ToList() is [var only] ? TryDecode(only.Value) : null;

    private static KeyValuePair<string, string>? Encode(byte[] details, GrpcStatus status, Predicate<ReadOnlyMemory<byte>> stays)
    {
        if (status.Code is < 0 or > StatusCode.Unauthenticated)
            return null; // what nobody understands
        try
        {
            var edited = Edit(details, status, stays);
            return new(Trailer, Convert.ToBase64String(edited).TrimEnd('=')); // as gRPC asks senders to do
        }
        catch (MalformedMessageException)
        {
            return null;
        }
    }

    private static byte[] Edit(byte[] details, GrpcStatus status, Predicate<ReadOnlyMemory<byte>> stays)
    {
        var edited = new ArrayBufferWriter<byte>(details.Length + status.Message.Length);
        edited.Write((ReadOnlySpan<byte>)[CodeField << 3, (byte)status.Code]);
        foreach (var field in Fields(details).Where(field => stays(field)))
            edited.Write(field.Span);
        return ProtoMessage.With(edited.WrittenSpan, MessageField, status.Message);
    }

    /// <summary>All but code and message, each with its tag.</summary>
    /// <exception cref="MalformedMessageException"/>
    private static List<ReadOnlyMemory<byte>> Fields(byte[] details)
    {
        var fields = new List<ReadOnlyMemory<byte>>();
        for (var reader = new ProtoReader(details); reader.Next();)
        {
            if (reader.Number is not (CodeField or MessageField))
                fields.Add(reader.Whole.ToArray());
        }

        return fields;
    }
}
