using System.Buffers;

namespace ImageCriShim.Cri;

/// <summary>
/// The trailer <c>grpc-status-details-bin</c>: a google.rpc.Status in base64. gRPC libraries that find it take code and message from it
/// instead of from <c>grpc-status</c> and <c>grpc-message</c>, so a status with another message needs details with that message.
/// </summary>
internal static class StatusDetails
{
    private const string Trailer = "grpc-status-details-bin";
    private const int CodeField = 1;
    private const int MessageField = 2;

    /// <summary>The details of a reply for a status that says something else; those that cannot be read are left out.</summary>
    /// <param name="status">What the caller is told.</param>
    /// <returns>Null where the reply has none.</returns>
    internal static KeyValuePair<string, string>? For(GrpcStatus status, RuntimeReply reply)
    {
        var sent = reply.Trailers.Where(trailer => trailer.Key == Trailer).ToList();
        if (sent.Count != 1 || status.Code is < 0 or > StatusCode.Unauthenticated)
            return null; // none, or what nobody understands
        try
        {
            var edited = Edit(Decode(sent[0].Value), status);
            return new(Trailer, Convert.ToBase64String(edited).TrimEnd('=')); // as gRPC asks senders to do
        }
        catch (Exception e) when (e is FormatException or MalformedMessageException)
        {
            return null;
        }
    }

    private static byte[] Edit(byte[] details, GrpcStatus status)
    {
        var edited = new ArrayBufferWriter<byte>(details.Length + status.Message.Length);
        edited.Write((ReadOnlySpan<byte>)[CodeField << 3, (byte)status.Code]);
        for (var fields = new ProtoReader(details); fields.Next();)
        {
            if (fields.Number != CodeField)
                edited.Write(fields.Whole);
        }

        return ProtoMessage.With(edited.WrittenSpan, MessageField, status.Message);
    }

    // gRPC over HTTP/2, "Custom-Metadata": with padding or without.
    private static byte[] Decode(string value) => Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '='));
}
