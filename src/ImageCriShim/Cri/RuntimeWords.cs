using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// What a runtime says of a call of ours that failed: its words and those of a registry. Either may repeat the credential that the runtime
/// was given, and the caller writes them into events that others read.
/// </summary>
internal static class RuntimeWords
{
    private const string Message = "grpc-message";
    private const string Binary = "-bin";

    /// <summary>The reply without what is or looks like a secret, and as it came where it holds nothing like that.</summary>
    /// <param name="reply">As it came.</param>
    /// <param name="sent">What the runtime was given.</param>
    /// <param name="names">What it was asked for.</param>
    internal static RuntimeReply Clean(RuntimeReply reply, SentSecrets sent, EchoedNames names)
    {
        if (reply.Status.IsOk || reply.IsOurs)
            return reply;
        var status = reply.Status with { Message = ForeignText.CleanOfRuntime(reply.Status.Message, sent, names) };
        var trailers = reply.Trailers.Where(trailer => IsPlain(trailer, sent, names)).ToList();
        if (status != reply.Status)
        {
            trailers.RemoveAll(trailer => trailer.Key == Message);
            trailers.Add(new(Message, StreamAnswer.PercentEncode(status.Message)));
        }

        if (StatusDetails.Clean(status, reply, sent, names) is { } details)
            trailers.Add(details);
        var headers = reply.Headers.Where(header => IsPlain(header, sent, names)).ToList();
        return reply with { Status = status, Trailers = trailers, Headers = headers };
    }

    /// <summary>Metadata is not for people: it goes on whole, or not at all. The details of a status are looked at apart.</summary>
    private static bool IsPlain(KeyValuePair<string, string> field, SentSecrets sent, EchoedNames names) => field.Key switch
    {
        Message => true,
        StatusDetails.Trailer => false,
        _ when field.Key.EndsWith(Binary, StringComparison.Ordinal) =>
            StatusDetails.TryDecode(field.Value) is { } octets && !HoldsSecret(octets, sent, names),
        _ => !ForeignText.HoldsSecret(field.Value, sent, names),
    };

    internal static bool HoldsSecret(ReadOnlySpan<byte> octets, SentSecrets sent, EchoedNames names) =>
        ForeignText.HoldsSecret(Encoding.UTF8.GetString(octets), sent, names);
}
