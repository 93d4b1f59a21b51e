namespace ImageCriShim.Relay;

/// <summary>A peer broke the protocol: its connection ends with a GOAWAY of this code (RFC 9113 section 5.4.1), nothing else does.</summary>
internal sealed class Http2ProtocolException(ErrorCode code, string message) : Exception(message)
{
    internal ErrorCode Code { get; } = code;
}
