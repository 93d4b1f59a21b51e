namespace ImageCriShim.Relay;

/// <summary>The calls of one connection that are not over, forwarded or edited. The connection's gate is held around every call.</summary>
internal sealed class OpenCalls
{
    private readonly Dictionary<int, bool> _isWaitedFor = []; // by stream

    internal bool IsEmpty => _isWaitedFor.Count == 0;

    /// <summary>Whether somebody waits for an answer. The others read one that may go on for ever, such as a watch of events.</summary>
    internal bool IsAnyWaitedFor => _isWaitedFor.ContainsValue(true);

    /// <param name="isEndless">Nobody waits for its end.</param>
    /// <exception cref="Http2ProtocolException">The caller opens more than anybody needs.</exception>
    internal void Open(int stream, bool isEndless)
    {
        if (_isWaitedFor.Count == RelayLimits.OpenCalls)
            throw new Http2ProtocolException(ErrorCode.EnhanceYourCalm, $"{RelayLimits.OpenCalls} calls are open on one connection, which is the limit");
        _isWaitedFor[stream] = !isEndless;
    }

    internal void End(int stream) => _isWaitedFor.Remove(stream);
}
