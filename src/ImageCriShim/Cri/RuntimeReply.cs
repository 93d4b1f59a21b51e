using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>What the runtime answered to a call of ours.</summary>
/// <param name="Message">Empty where the status is not OK.</param>
/// <param name="Headers">Its metadata, without what gRPC itself puts there.</param>
/// <param name="Trailers">The same for the trailers, <c>grpc-status</c> and its companions included.</param>
internal sealed record RuntimeReply(
    GrpcStatus Status,
    ReadOnlyMemory<byte> Message,
    IReadOnlyList<KeyValuePair<string, string>> Headers,
    IReadOnlyList<KeyValuePair<string, string>> Trailers)
{
    /// <summary>It never came to an answer: the words are our own.</summary>
    internal bool IsOurs { get; init; }

    /// <summary>The same answer for the caller, details and metadata included.</summary>
    /// <param name="edited">The gRPC frame of the message in its place; null: as it came.</param>
    internal StreamAnswer ToAnswer(ReadOnlyMemory<byte>? edited = null) => Status.IsOk
        ? new StreamAnswer(Headers, edited ?? GrpcMessage.Frame(Message.Span), Trailers)
        : new StreamAnswer(Headers, null, Trailers);
}
