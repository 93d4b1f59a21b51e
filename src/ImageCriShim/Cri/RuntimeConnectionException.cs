using System.Net.Sockets;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>A call of ours broke off; the message goes on after "because".</summary>
internal sealed class RuntimeConnectionException(string reason) : Exception(reason)
{
    /// <summary>Whether it means that a connection is of no use any more.</summary>
    internal static bool IsLoss(Exception e) => e is SocketException or Http2ProtocolException or HpackException;

    internal static RuntimeConnectionException Of(Exception loss) =>
        new(loss is SocketException socketError ? $"{socketError.SocketErrorCode}" : loss.Message);
}

/// <summary>The runtime's answer is above <see cref="RelayLimits.MessageBytes"/>.</summary>
internal sealed class AnswerTooLargeException : Exception;
