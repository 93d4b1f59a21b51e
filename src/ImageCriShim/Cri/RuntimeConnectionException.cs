using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>A call of ours broke off; the message goes on after "because".</summary>
/// <param name="code">What a caller is told.</param>
/// <param name="mayBeMadeAgain">At once, on another connection.</param>
internal sealed class RuntimeConnectionException(string reason, GrpcCode code, bool mayBeMadeAgain) : Exception(reason)
{
    // RFC 9113 section 7, in order.
    private static readonly string[] s_errors =
    [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
        "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ];

    internal StatusCode Code => (StatusCode)code;

    internal bool MayBeMadeAgain => mayBeMadeAgain;

    /// <summary>Whether it means that a connection is of no use any more.</summary>
    internal static bool IsLoss(Exception e) => e is SocketException or Http2ProtocolException or HpackException;

    /// <summary>The connection is lost.</summary>
    /// <param name="goAway">The error code of the runtime's GOAWAY, if it has said one.</param>
    internal static RuntimeConnectionException Lost(string reason, ErrorCode? goAway) => goAway switch
    {
        // The runtime wants fewer calls, or none: not this one again at once.
        ErrorCode.EnhanceYourCalm or ErrorCode.InadequateSecurity =>
            new($"{reason} ({NameOf(goAway.Value)})", Frames.CodeOf(goAway.Value), mayBeMadeAgain: false),
        _ => new(reason, GrpcCode.Unavailable, mayBeMadeAgain: true),
    };

    /// <inheritdoc cref="Lost(string, ErrorCode?)"/>
    internal static RuntimeConnectionException Lost(Exception loss, ErrorCode? goAway) =>
        Lost(loss is SocketException socketError ? $"{socketError.SocketErrorCode}" : loss.Message, goAway);

    /// <summary>The runtime reset the call's stream; where it refused it, nothing was done with it.</summary>
    internal static RuntimeConnectionException Reset(ErrorCode error) =>
        new($"the runtime reset it ({NameOf(error)})", Frames.CodeOf(error), mayBeMadeAgain: error is ErrorCode.RefusedStream);

    private static string NameOf(ErrorCode error) => (uint)error < s_errors.Length ? s_errors[(int)error] : $"error {(uint)error}";
}

/// <summary>The runtime's answer is above <see cref="RelayLimits.MessageBytes"/>.</summary>
internal sealed class AnswerTooLargeException : Exception;
