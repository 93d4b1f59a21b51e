using System.Diagnostics;
using ImageCriShim.Configuration;
using ImageCriShim.Handover;
using ImageCriShim.Hosting;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using HandoverLog = ImageCriShim.Handover.Log;
using Log = ImageCriShim.Hosting.Log;

namespace ImageCriShim;

/// <summary>The life of a process that serves: it takes over or begins, serves, and ends by a signal or by a handover.</summary>
internal sealed class Daemon(
    ServeOptions options,
    ShimSettings settings,
    CallRouting routing,
    Reload reload,
    ShimMetrics metrics,
    Predecessor? predecessor,
    StderrLogger log) : IDisposable
{
    private const int AcceptingStackBytes = 256 * 1024;

    // Before the main process of the service has waited as long as it may, which waits for this one too.
    private static readonly TimeSpan s_beforeSuccessor = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_accepting = TimeSpan.FromSeconds(5);

    private readonly Stack<IDisposable> _parts = [];
    private readonly Predecessors _predecessors = new(TimeProvider.System);
    private StatusSocket? _onlookers;
    private Task<bool> _isSocketClosing = Task.FromResult(false);

    /// <summary>Serves until the process is to end.</summary>
    /// <exception cref="ShimSocketException">The socket cannot be had.</exception>
    /// <exception cref="HandoverException">The predecessor has given up.</exception>
    internal void Run()
    {
        var socket = Use(Open());
        Use(SocketAccess.Follow(socket, routing.Runtime, TimeProvider.System, log));
        predecessor?.WaitForState();
        reload.Begin();
        var listener = new RelayListener(socket.Acceptor, routing.Runtime, routing.Begin, metrics, log);
        var pages = new DaemonPages(socket, listener, routing, reload, _predecessors, metrics);
        pages.Observe(log);
        var endpoint = Use(new MetricsEndpoint(pages.Find, TimeProvider.System, log));
        var succession = pages.Succession = Use(new Succession(socket, endpoint, routing, reload, metrics, TimeProvider.System, log));
        reload.Succession = succession;
        Use(new Reminder(() => reload.FailOpen?.Say(), TimeProvider.System));
        var stop = Use(new Stop(() => listener.Connections, log));
        stop.Begins += _ => _isSocketClosing = socket.Own is null ? SocketUnit.IsClosing() : Task.FromResult(true);
        new Thread(listener.Run, AcceptingStackBytes) { IsBackground = true, Name = "accept" }.Start();
        socket.Appear(); // whoever sees the file may call us, and end us
        Log.Serving(log, socket.Path, (long)ProcessAge.Now.TotalMilliseconds);
        endpoint.Listen(settings.Metrics, predecessor?.TakeMetrics());
        reload.Adopted += adopted => endpoint.Listen(adopted.Metrics);
        pages.IsTakingOver = predecessor is not null;
        Look(socket, pages);
        TakeOver(socket);
        pages.IsTakingOver = false;
        succession.Failed += () => Look(socket, pages);
        string? FindTrouble() => reload.FailOpen?.Summary ?? reload.Trouble ?? succession.Trouble;
        var status = new ServiceStatus(socket.Path, routing.Runtime, () => listener.Connections, FindTrouble);
        var report = ServiceReport.Begin(socket, status, stop, TimeProvider.System, log);
        if (report is not null)
            Use(report);
        succession.Report = report;
        reload.Watch(report);
        Use(new ColdPages(TimeProvider.System));
        Serve(socket, listener, succession, stop, pages, endpoint);
    }

    public void Dispose()
    {
        _onlookers?.Dispose();
        while (_parts.TryPop(out var part))
            part.Dispose();
    }

    private ShimSocket Open() => predecessor is null
        ? ShimSocket.Open(settings.ShimSocket, log)
        : ShimSocket.TakeOver(Predecessor.TakeSocket(), predecessor.OwnSocket, settings.ShimSocket, log);

    /// <summary>Opens the private socket, which is that of the process that serves now, unless it is this process's already.</summary>
    private void Look(ShimSocket socket, DaemonPages pages)
    {
        if (_onlookers is { IsOurs: true })
            return; // somebody may be asking
        _onlookers?.Dispose();
        _onlookers = StatusSocket.TryOpen(socket.Path, pages.FindPrivate, pages.Take, log);
    }

    private void TakeOver(ShimSocket socket)
    {
        if (predecessor is null)
            return;
        if (!socket.IsServed(s_accepting))
            throw new HandoverException("the thread that accepts callers does not answer");
        predecessor.WaitUntilMain();
        HandoverLog.TookOver(log);
        metrics.Handovers.Add("ok");
    }

    private void Serve(
        ShimSocket socket, RelayListener listener, Succession succession, Stop stop, DaemonPages pages, MetricsEndpoint endpoint)
    {
        while (WaitHandle.WaitAny([stop.Begun, succession.Served]) >= 0)
        {
            if (succession.TryEnd() is not { } successor)
            {
                End(socket, listener, stop);
                return;
            }

            var metricsAt = endpoint.Cease();
            if (Drain(socket, listener, successor, stop))
                return;
            listener.Resume(); // first: nobody else accepts
            succession.TakeBack();
            reload.Resume();
            endpoint.Listen(metricsAt);
            Look(socket, pages);
        }
    }

    /// <summary>No successor serves: this process goes on until its open calls are over.</summary>
    private void End(ShimSocket socket, RelayListener listener, Stop stop)
    {
        reload.Cease();
        listener.Stop(options.StopTimeout, () => _predecessors.All.Count > 0, stop.Hurry);
        socket.Disappear();
        if (_isSocketClosing.Wait(TimeSpan.FromSeconds(1)) && _isSocketClosing.Result)
        {
            listener.RefuseWaiting(
                $"it has been stopped; nobody serves {socket.Path} until it is started again (systemctl start image-cri-shim)");
        }

        Log.Stopped(log);
    }

    /// <summary>A successor serves: this process ends with its last call.</summary>
    /// <returns>False: the successor has ended, and calls are left.</returns>
    private bool Drain(ShimSocket socket, RelayListener listener, SuccessorProcess successor, Stop stop)
    {
        reload.Cease();
        stop.IsPatient = true;
        var begin = Stopwatch.GetTimestamp();
        HandoverLog.HandedOver(log, successor.Id, successor.Version, $"{options.DrainTimeout.TotalMinutes:0} min", listener.Connections);
        using var reports = new DrainReports(socket.Path, isLast => Report(listener, begin, isLast), routing.State, TimeProvider.System);
        long? stopped = null;
        bool IsOver()
        {
            stopped ??= stop.HasBegun ? Stopwatch.GetTimestamp() : null;
            var isStopOver = stopped is { } since
                && (!listener.IsAnyWaitedFor || Stopwatch.GetElapsedTime(since) >= options.StopTimeout - s_beforeSuccessor);
            return isStopOver || stop.Hurry.IsCancellationRequested || Stopwatch.GetElapsedTime(begin) >= options.DrainTimeout;
        }

        int? later = null; // the process that serves now, where the successor has handed over too, and has ended
        bool IsServed() => later is { } process ? LibC.IsThere(process) : !successor.HasEnded;
        bool IsServedByAny()
        {
            if (IsServed())
                return true;
            later = reports.FindServing(out var isNone);
            return !isNone;
        }

        listener.Drain(() => IsOver() || !IsServedByAny());
        if (listener.Connections > 0 && !IsOver())
            return false;
        if (listener.Connections == 0)
            HandoverLog.Drained(log);
        else
            HandoverLog.DrainCut(log, $"{Stopwatch.GetElapsedTime(begin).TotalSeconds:0} s", listener.Calls.Count);
        listener.End();
        return true;
    }

    private PredecessorReport Report(RelayListener listener, long begin, bool isLast)
    {
        var calls = listener.Calls;
        var oldest = calls.OrderByDescending(call => call.Age).FirstOrDefault();
        var until = DateTimeOffset.UtcNow + options.DrainTimeout - Stopwatch.GetElapsedTime(begin);
        return new(
            Environment.ProcessId, ShimVersion.Text, listener.Connections, calls.Count, oldest.Method?.Name ?? "", oldest.Age, until, isLast);
    }

    private T Use<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
