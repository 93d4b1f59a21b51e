using ImageCriShim.Concurrency;
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
    private const int SigTerm = 15;

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
        Background.StartThread("accept", AcceptingStackBytes, listener.Run);
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

            predecessor?.SayNext(successor.Id);
            var metricsAt = endpoint.Cease();
            reload.Cease();
            stop.IsPatient = true;
            if (new Draining(socket, listener, successor, stop, options, routing.State, log).Run())
                return;
            listener.Resume(); // first: nobody else accepts
            predecessor?.SayNext(Environment.ProcessId);
            succession.TakeBack();
            if (!stop.HasBegun)
                succession.Report?.SayMainAgain();
            reload.Resume();
            endpoint.Listen(metricsAt);
            Look(socket, pages);
        }
    }

    /// <summary>No successor serves: this process goes on until its open calls are over.</summary>
    private void End(ShimSocket socket, RelayListener listener, Stop stop)
    {
        reload.Cease();
        PassOn();
        listener.Stop(options.StopTimeout - stop.Elapsed, () => _predecessors.All.Count > 0, stop.Hurry);
        socket.Disappear();
        if (_isSocketClosing.Wait(TimeSpan.FromSeconds(1)) && _isSocketClosing.Result)
        {
            listener.RefuseWaiting(
                $"it has been stopped; nobody serves {socket.Path} until it is started again (systemctl start image-cri-shim)");
        }

        Log.Stopped(log);
    }

    /// <summary>The processes that this one took over from, or those before it, end together with it.</summary>
    private void PassOn()
    {
        foreach (var report in _predecessors.All)
            LibC.SendSignal(report.Id, SigTerm); // systemd sends it to all of them, where it stops the service; another one changes nothing
    }

    private T Use<T>(T part)
        where T : IDisposable
    {
        _parts.Push(part);
        return part;
    }
}
