namespace ImageCriShim.Registries.Connecting;

/// <summary>How far the connection of a request has come.</summary>
internal enum ConnectStage
{
    /// <summary>It was not begun, or it stands: what is missing is the response.</summary>
    None,
    LookUp,
    Connect,
    Proxy,
    Handshake,
}

/// <summary>Says which step of connecting takes too long.</summary>
internal static class ConnectStages
{
    /// <param name="stage">The step that is under way; not <see cref="ConnectStage.None"/>.</param>
    /// <param name="patience">How long it was waited for.</param>
    public static string Describe(this ConnectStage stage, TimeSpan patience)
    {
        var within = $"within {patience.TotalSeconds:0.###} s";
        return stage switch
        {
            ConnectStage.LookUp => $"its name could not be looked up {within}{NameServers.Describe()}",
            ConnectStage.Proxy => $"connected to the proxy, but no answer of it {within}",
            ConnectStage.Handshake => $"connected, but no TLS handshake {within}",
            _ => $"no connection {within}",
        };
    }
}

/// <summary>No connection came about, for a reason that is given in words.</summary>
/// <param name="message">For people.</param>
/// <param name="cause">What it was made from; null: it is the cause.</param>
internal class ConnectionException(string message, Exception? cause = null) : IOException(message, cause);

/// <summary>A server does not do a TLS handshake.</summary>
internal sealed class HandshakeException(string message, Exception cause) : ConnectionException(message, cause);

/// <summary>The time for a request ended while its connection was being made.</summary>
/// <param name="stage">What was waited for.</param>
/// <param name="canceled">The cancellation that ended it.</param>
internal sealed class NotConnectedException(ConnectStage stage, OperationCanceledException canceled)
    : OperationCanceledException(canceled.Message, canceled, canceled.CancellationToken)
{
    public ConnectStage Stage => stage;
}
