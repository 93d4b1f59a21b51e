using System.Net.Sockets;
using ImageCriShim.Metrics;
using ImageCriShim.Relay.Hpack;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>
/// One caller's connection and its own connection to the runtime. Two pumps on two threads, one gate around everything that they and
/// the edited calls share. The gate is never held during I/O.
/// </summary>
internal sealed class RelayConnection
{
    private readonly Socket _caller;
    private readonly Socket _runtime;
    private readonly ILogger _log;
    private readonly CallerPump _callerPump;
    private readonly RuntimePump _runtimePump;
    private bool _owesBandwidthAck; // guarded by the gate
    private GrpcCode? _lost; // what whoever was lost first makes of the calls; guarded by the gate

    /// <param name="received">Of a <see cref="WaitingCaller"/>.</param>
    internal RelayConnection(
        Socket caller, Socket runtime, RouteCall route, HeldBytes heldBytes, CallCounts counts, ILogger log, FrameBuffer? received = null)
    {
        (_caller, _runtime, _log, Route, Counts) = (caller, runtime, log, route, counts);
        ToCaller = new FrameWriter(caller, held: true);
        ToRuntime = new FrameWriter(runtime, held: false);
        Farewell = new Farewell(ToCaller);
        CallerLedger = new FlowLedger(ToCaller);
        RuntimeLedger = new FlowLedger(ToRuntime);
        Taken = new TakenStreams(this, heldBytes);
        Departure = new RuntimeDeparture(this, caller);
        _callerPump = new CallerPump(this, caller, ToRuntime, RuntimeLedger, received);
        _runtimePump = new RuntimePump(this, runtime, ToCaller, CallerLedger);
    }

    internal Lock Gate { get; } = new();

    internal RouteCall Route { get; }

    internal TakenStreams Taken { get; }

    internal OpenCalls Calls { get; } = new();

    internal CallCounts Counts { get; }

    internal Farewell Farewell { get; }

    internal RuntimeDeparture Departure { get; }

    /// <summary>The newest call. The gate is held.</summary>
    internal int LastStream => _callerPump.LastStream;

    internal FrameWriter ToCaller { get; }

    internal FrameWriter ToRuntime { get; }

    /// <summary>What may be sent to the caller.</summary>
    internal FlowLedger CallerLedger { get; }

    /// <summary>What may be sent to the runtime.</summary>
    internal FlowLedger RuntimeLedger { get; }

    /// <summary>Relays until both sides have ended, on this thread and one more. Both sockets are closed then.</summary>
    internal void Run()
    {
        var other = new TaskCompletionSource();
        RelayThreads.Start(() =>
        {
            Run(_runtimePump, _runtime, _caller);
            other.SetResult();
        });
        Run(_callerPump, _caller, _runtime);
        lock (Gate)
            Taken.CancelAll(); // a caller that has ended its side waits for nothing
        Departure.OnCallerEnd();
        other.Task.Wait();
        lock (Gate)
            Calls.EndAll(_lost ?? GrpcCode.Unavailable);
        _caller.Dispose();
        _runtime.Dispose();
    }

    /// <summary>The calls that are open, each with its method and its age.</summary>
    internal IEnumerable<(CallCount Method, TimeSpan Age)> ListCalls()
    {
        lock (Gate)
            return Calls.All;
    }

    internal ConnectionActivity Look()
    {
        lock (Gate)
        {
            var (oldest, isIdle) = (Calls.OldestWaitedFor, CallerLedger.IsIdle);
            return new(oldest, oldest is not null || !isIdle, Calls.IsEmpty && isIdle, _callerPump.HasCalled, Farewell.IsHeard);
        }
    }

    /// <summary>Tells the caller to come back on a new connection. Calls that have begun go on.</summary>
    internal void SayFarewell()
    {
        lock (Gate)
            Farewell.Say();
        ToCaller.FlushSoon();
    }

    /// <summary>Ends it, whatever goes on. What waits to be sent to a caller that reads is sent.</summary>
    internal void End()
    {
        var patience = TimeSpan.FromMilliseconds(100);
        try
        {
            _caller.SendTimeout = (int)patience.TotalMilliseconds;
            ToCaller.TrySend([], patience);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended by itself.
        }

        Disconnect();
    }

    /// <summary>The runtime waits for the answer of a PING of <see cref="Frames.BandwidthPing"/>, and gets it with the next request.</summary>
    /// <returns>False: it waits for one already.</returns>
    internal bool TryOweBandwidthAck() => !_owesBandwidthAck && (_owesBandwidthAck = true);

    /// <summary>Whether the answer is due; it is the asker's now.</summary>
    internal bool TakeBandwidthAck()
    {
        var owes = _owesBandwidthAck;
        _owesBandwidthAck = false;
        return owes;
    }

    internal void RaiseTableSizeLimit(int limit) => _callerPump.RaiseTableSizeLimit(limit);

    /// <summary>Towards the peer that the pump with this one reads from.</summary>
    internal FrameWriter OtherThan(FrameWriter own) => own == ToCaller ? ToRuntime : ToCaller;

    // Whoever sends RST_STREAM behind his request costs no more than these frames: a cancelled task does not start.
    internal void StartAnswer(TakenStream stream) => _ = Task.Run(() => Answer(stream, isPump: false), stream.Cancellation);

    internal void StartPreparing(TakenStream stream) => _ = Task.Run(() => Prepare(stream), stream.Cancellation);

    /// <summary>
    /// Watched calls whose answer is not the caller's. They begin on this thread, the one that brought that answer: what they ask the
    /// runtime it answers at once, and whatever waits longer goes on elsewhere.
    /// </summary>
    internal void AnswerWatched()
    {
        var isAnswered = false;
        while (Taken.TakeRefused() is { } stream)
            isAnswered |= Answer(stream, isPump: true).IsCompleted;
        if (isAnswered)
            ToCaller.Send([]);
    }

    /// <summary>Asks an edited call something. A defect of ours must not break it: it goes on as if it had not been taken over.</summary>
    internal T Ask<T>(TakenStream stream, Func<TakenStream, T> question, T ifItFails)
    {
        try
        {
            return question(stream);
        }
        catch (Exception e)
        {
            Log.EditedCallFailed(_log, e);
            return ifItFails;
        }
    }

    /// <param name="isPump">This is the thread that sends to the caller, and it sends what is there when this returns.</param>
    private async Task Answer(TakenStream stream, bool isPump)
    {
        StreamAnswer? answer;
        try
        {
            var answering = stream.Call.Answer(stream.Cancellation);
            isPump &= answering.IsCompleted;
            answer = await answering;
        }
        catch (OperationCanceledException) when (stream.Cancellation.IsCancellationRequested)
        {
            return; // nobody waits for it
        }
        catch (Exception e)
        {
            Log.EditedCallFailed(_log, e);
            answer = StreamAnswer.Error(GrpcCode.Internal, $"image-cri-shim: internal error ({e.GetType().Name}); its log says more");
        }

        Give(() => Taken.OnAnswer(stream, answer), isPump ? null : ToCaller);
    }

    private async Task Prepare(TakenStream stream)
    {
        ReadOnlyMemory<byte> request = stream.Request.WrittenMemory;
        try
        {
            request = await stream.Call.Prepare(stream.Cancellation);
        }
        catch (OperationCanceledException) when (stream.Cancellation.IsCancellationRequested)
        {
            return; // nobody waits for it
        }
        catch (Exception e) // it goes on as it came
        {
            Log.EditedCallFailed(_log, e);
        }

        Give(() => Taken.OnPrepared(stream, request), ToRuntime);
    }

    /// <param name="to">Is made to send; null where somebody else does.</param>
    private void Give(Action give, FrameWriter? to)
    {
        try
        {
            lock (Gate)
            {
                give();
                Departure.Settle();
            }

            to?.FlushHere();
        }
        catch (Http2ProtocolException e)
        {
            Log.PeerBrokeProtocol(_log, e.Message);
            Disconnect();
        }
    }

    private void Run(Pump pump, Socket from, Socket to)
    {
        try
        {
            pump.Run();
            Lose(isCaller: from == _caller);
            if (from == _caller && !PeerPoll.HasHungUp(_caller))
                to.Shutdown(SocketShutdown.Send); // the other direction may go on: half-closed is legal
            else if (from == _caller || !Departure.SeeOff())
                Disconnect(); // a runtime that hangs would keep what nobody reads any more
        }
        catch (SocketException)
        {
            Lose(isCaller: PeerPoll.HasHungUp(_caller)); // either pump may be the first to see it
            Disconnect(); // the way a connection usually ends when a process does
        }
        catch (Http2ProtocolException e)
        {
            Refuse(from, e.Code, e.Message);
        }
        catch (HpackException e)
        {
            Refuse(from, ErrorCode.CompressionError, e.Message);
        }
        catch (Exception e) // a defect of ours costs this connection, not the process
        {
            Log.ConnectionFailed(_log, e);
            Disconnect();
        }
    }

    // As gRPC calls it where either end is lost.
    private void Lose(bool isCaller)
    {
        lock (Gate)
            _lost ??= isCaller ? GrpcCode.Cancelled : GrpcCode.Unavailable;
    }

    // Tells the peer that broke the protocol why, if it still reads, and ends the connection on both sides. A caller hears which calls the
    // runtime may have seen, so that it repeats none of these (RFC 9113 section 6.8); a runtime has begun no stream.
    private void Refuse(Socket peer, ErrorCode code, string reason)
    {
        var patience = TimeSpan.FromSeconds(1); // it may have stopped reading
        Log.PeerBrokeProtocol(_log, reason);
        try
        {
            peer.SendTimeout = (int)patience.TotalMilliseconds;
            var (writer, last) = peer == _caller ? (ToCaller, Departure.LastOf(LastStream)) : (ToRuntime, 0);
            writer.TrySend(Frames.GoAway(last, code, $"image-cri-shim: {reason}"), patience);
        }
        catch (SocketException)
        {
            // It is gone already.
        }

        Disconnect();
    }

    private void Disconnect()
    {
        _caller.ShutDown();
        _runtime.ShutDown();
    }
}
