using ImageCriShim.Handover;
using ImageCriShim.Hosting;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;
using Log = ImageCriShim.Handover.Log;

namespace ImageCriShim;

/// <summary>
/// Hands over to a successor, one attempt at a time:
/// <list type="number">
/// <item>Starts the program that lies on the disk now, with the listening socket. It reads the settings.</item>
/// <item>Writes the state, and writes no more. The successor reads it.</item>
/// <item>The successor accepts callers from the same socket, and says so.</item>
/// <item>systemd is told that it is the main process, and <see cref="Served"/> is set: this process accepts no more.</item>
/// </list>
/// If one of these fails the successor is killed, and everything is as it was before.
/// </summary>
internal sealed class Succession(
    ShimSocket socket, MetricsEndpoint endpoint, CallRouting routing, Reload reload, ShimMetrics metrics, TimeProvider time, ILogger log)
    : IDisposable
{
    private readonly ProgramFile _program = ProgramFile.Find();
    private readonly ManualResetEvent _served = new(initialState: false);
    private readonly Lock _gate = new();
    private Task _attempt = Task.CompletedTask;
    private bool _isStopping;

    /// <summary>Is set while a successor serves.</summary>
    internal WaitHandle Served => _served;

    /// <summary>The process that serves; null before it does.</summary>
    internal SuccessorProcess? Successor { get; private set; }

    /// <summary>Whether another program lies on the disk than the one that runs.</summary>
    internal bool IsProgramChanged => _program.IsChanged;

    /// <summary>When and why the last attempt failed; null if it did not.</summary>
    internal (DateTimeOffset At, string Reason)? Failure { get; private set; }

    /// <summary>An attempt has failed, when the successor had the private socket already, perhaps.</summary>
    internal event Action? Failed;

    /// <summary>Whether an attempt is being made.</summary>
    internal bool IsUnderWay => !_attempt.IsCompleted;

    /// <summary>What is wrong, in a line; null if nothing is.</summary>
    internal string? Trouble => Failure is { } failure ? $"a handover failed, and this process is the old one still: {failure.Reason}" : null;

    /// <summary>Is told of each attempt; null where nobody hears.</summary>
    internal ServiceReport? Report { get; set; }

    /// <summary>Begins an attempt, unless one is being made or the process stops.</summary>
    internal bool TryBegin()
    {
        lock (_gate)
        {
            if (_isStopping || IsUnderWay || Successor is not null)
                return false;
            Failure = null;
            _attempt = Task.Factory.StartNew(Attempt, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return true;
        }
    }

    /// <summary>This process is about to end: no attempt begins any more, and one that is being made fails.</summary>
    /// <returns>The process that serves in its place; null if there is none.</returns>
    internal SuccessorProcess? TryEnd()
    {
        lock (_gate)
        {
            _isStopping |= Successor is null;
            return Successor;
        }
    }

    /// <summary>The successor has ended, and this process serves again.</summary>
    internal void TakeBack()
    {
        Log.TakenBack(log, Successor!.Id);
        Successor.Dispose();
        routing.State?.Resume();
        lock (_gate)
        {
            Successor = null;
            socket.IsHandedOver = false;
            _served.Reset();
        }
    }

    public void Dispose()
    {
        Successor?.Dispose();
        _served.Dispose();
    }

    private void Attempt()
    {
        Log.HandingOver(log, _program.Path);
        Report?.SayReloading();
        SuccessorProcess? successor = null;
        try
        {
            successor = Start();
            successor.WaitUntilPrepared();
            routing.State?.Freeze();
            successor.WaitUntilServing();
            Complete(successor);
        }
        catch (Exception e) // out of memory too: this process goes on
        {
            Fail(successor, e is HandoverException ? e.Message : $"internal error ({e.GetType().Name})");
        }
    }

    private SuccessorProcess Start()
    {
        var current = endpoint.Current;
        var terms = new HandoverTerms(IsLaunch: true, socket.Own, reload.FailOpen is not null, current?.Address);
        return SuccessorProcess.Start(_program, Report?.Variables ?? [], terms, socket.Acceptor.Descriptor, (int?)current?.Listener.Handle);
    }

    private void Complete(SuccessorProcess successor)
    {
        lock (_gate)
        {
            if (_isStopping)
                throw new HandoverException("the process stops");
            if (!successor.IsServing)
                throw new HandoverException("it ended as soon as it served");
            Report?.SayMain(successor.Id); // before the successor reports, so that systemd listens to it
            socket.IsHandedOver = true;
            Successor = successor;
            successor.SayMain();
            _served.Set();
        }
    }

    private void Fail(SuccessorProcess? successor, string reason)
    {
        successor?.Kill();
        successor?.Dispose();
        routing.State?.Resume();
        Failure = (time.GetUtcNow(), reason);
        metrics.Handovers.Add("failed");
        Log.HandoverFailed(log, reason);
        Failed?.Invoke();
        Report?.SayReady();
    }
}
