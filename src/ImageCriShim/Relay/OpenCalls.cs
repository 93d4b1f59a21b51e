using System.Diagnostics;
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
    // A stream that has carried no message for so long is a watch of something that does not happen.
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(3);

    private readonly Dictionary<int, OpenCall> _calls = []; // by stream id
    private int _streams;

    internal bool IsEmpty => _calls.Count == 0;

    /// <summary>Whether the times of messages are of interest.</summary>
    internal bool HasStreams => _streams > 0;

    /// <summary>When the oldest call began that the caller waits for; null if there is none. A silent stream is not waited for.</summary>
    internal long? OldestWaitedFor
    {
        get
        {
            long? oldest = null;
            foreach (var call in _calls.Values)
            {
                if (call.Begun < (oldest ?? long.MaxValue) && IsWaitedFor(call))
                    oldest = call.Begun;
            }

            return oldest;
        }
    }

    /// <summary>The calls that are open, each with its method and its age.</summary>
    internal IEnumerable<(CallCount Method, TimeSpan Age)> All => [.. _calls.Values.Select(call => (call.Count, Stopwatch.GetElapsedTime(call.Begun)))];

    internal int Count => _calls.Count;

    internal IReadOnlyCollection<int> Streams => _calls.Keys;

    /// <param name="count">Of its method.</param>
    /// <param name="isStream">It may go on for ever, such as a watch of events.</param>
    /// <exception cref="Http2ProtocolException">The caller opens more calls than the limit.</exception>
    internal void Open(int stream, CallCount count, bool isStream)
    {
        if (_calls.Count == RelayLimits.OpenCalls)
            throw new Http2ProtocolException(ErrorCode.EnhanceYourCalm, $"{RelayLimits.OpenCalls} calls are open on one connection, which is the limit");
        var now = Stopwatch.GetTimestamp();
        _calls[stream] = new OpenCall(count, isStream, now, now, HasBegun: false);
        _streams += isStream ? 1 : 0;
    }

    /// <summary>A part of a message has passed, either way.</summary>
    internal void OnMessage(int stream)
    {
        ref var call = ref CollectionsMarshal.GetValueRefOrNullRef(_calls, stream);
        if (!Unsafe.IsNullRef(ref call) && call.IsStream)
            call = call with { LastMessage = Stopwatch.GetTimestamp() };
    }

    /// <summary>Without effect if it has ended before.</summary>
    internal void End(int stream, GrpcCode code)
    {
        if (!_calls.Remove(stream, out var call))
            return;
        _streams -= call.IsStream ? 1 : 0;
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

    /// <summary>The connection has ended.</summary>
    internal void EndAll(GrpcCode code)
    {
        foreach (var call in _calls.Values)
            call.Count.Add((int)code);
        _calls.Clear();
        _streams = 0;
    }

    private static bool IsWaitedFor(OpenCall call) => !call.IsStream || Stopwatch.GetElapsedTime(call.LastMessage) < s_silence;

    /// <param name="Count">Of its method.</param>
    /// <param name="IsStream">It may go on for ever.</param>
    /// <param name="Begun">When the call came.</param>
    /// <param name="LastMessage">When a part of a message has passed; only of streams.</param>
    /// <param name="HasBegun">The caller has headers of its answer; only of forwarded ones.</param>
    private readonly record struct OpenCall(CallCount Count, bool IsStream, long Begun, long LastMessage, bool HasBegun);
}
