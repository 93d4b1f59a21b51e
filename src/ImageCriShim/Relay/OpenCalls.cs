using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ImageCriShim.Metrics;

namespace ImageCriShim.Relay;

/// <summary>
/// The calls of one connection that are not over, forwarded or edited; each is counted once, when it ends. The connection's gate is held around
/// every call.
/// </summary>
internal sealed class OpenCalls
{
    private readonly Dictionary<int, OpenCall> _calls = []; // by stream
    private readonly HashSet<int> _endless = []; // those of them that nobody waits for

    internal bool IsEmpty => _calls.Count == 0;

    internal int Count => _calls.Count;

    internal IReadOnlyCollection<int> Streams => _calls.Keys;

    /// <summary>Whether somebody waits for an answer. The others read one that may go on for ever, such as a watch of events.</summary>
    internal bool IsAnyWaitedFor => _calls.Count > _endless.Count;

    /// <param name="count">Of its method.</param>
    /// <param name="isEndless">Nobody waits for its end.</param>
    /// <exception cref="Http2ProtocolException">The caller opens more than anybody needs.</exception>
    internal void Open(int stream, CallCount count, bool isEndless)
    {
        if (_calls.Count == RelayLimits.OpenCalls)
            throw new Http2ProtocolException(ErrorCode.EnhanceYourCalm, $"{RelayLimits.OpenCalls} calls are open on one connection, which is the limit");
        _calls[stream] = new OpenCall(count);
        if (isEndless)
            _endless.Add(stream);
    }

    /// <summary>Without effect if it has ended before.</summary>
    internal void End(int stream, GrpcCode code)
    {
        if (!_calls.Remove(stream, out var call))
            return;
        _endless.Remove(stream);
        call.Count.Add((int)code);
    }

    /// <summary>The caller gets headers of its answer.</summary>
    internal void Begin(int stream)
    {
        ref var call = ref CollectionsMarshal.GetValueRefOrNullRef(_calls, stream);
        if (!Unsafe.IsNullRef(ref call))
            call = call with { HasBegun = true };
    }

    /// <summary>Whether the caller has headers of its answer.</summary>
    internal bool HasBegun(int stream) => _calls.TryGetValue(stream, out var call) && call.HasBegun;

    /// <summary>The connection has.</summary>
    internal void EndAll(GrpcCode code)
    {
        foreach (var call in _calls.Values)
            call.Count.Add((int)code);
        _calls.Clear();
        _endless.Clear();
    }

    /// <param name="Count">Of its method.</param>
    /// <param name="HasBegun">The caller has headers of its answer; only of forwarded ones.</param>
    private readonly record struct OpenCall(CallCount Count, bool HasBegun = false);
}
