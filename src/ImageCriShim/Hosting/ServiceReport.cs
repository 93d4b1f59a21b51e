using System.Diagnostics;
using System.Runtime.InteropServices;
using ImageCriShim.Concurrency;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>What systemd hears of us: that we serve, how it goes (<c>systemctl status</c>), that we live, that we stop.</summary>
internal sealed class ServiceReport : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(5); // so old may the line be that an operator reads

    private readonly NotifySocket _manager;
    private readonly ServiceStatus _status;
    private readonly Lock _gate = new();
    private readonly List<IDisposable> _parts = [];
    private string _said = "";
    private bool _isStopping;
    private volatile bool _isHandedOver; // another process proves that it lives

    private readonly TimeSpan? _watchdog;

    private ServiceReport(NotifySocket manager, ServiceStatus status, TimeSpan? watchdog) => (_manager, _status, _watchdog) = (manager, status, watchdog);

    /// <summary>What a successor needs in its environment to report in our place, of the form <c>NAME=value</c>.</summary>
    internal IEnumerable<string> Variables =>
        _watchdog is { } limit ? [$"NOTIFY_SOCKET={_manager.Path}", $"WATCHDOG_USEC={(long)limit.TotalMicroseconds}"] : [$"NOTIFY_SOCKET={_manager.Path}"];

    /// <summary>Says that we are ready, so it comes last.</summary>
    /// <returns>Null where nobody wants to hear.</returns>
    internal static ServiceReport? Begin(ShimSocket socket, ServiceStatus status, Stop stop, TimeProvider time, ILogger log)
    {
        var limit = Watchdog.TakeLimit();
        if (NotifySocket.FromEnvironment() is not { } manager)
            return null;
        var report = new ServiceReport(manager, status, limit);
        stop.Begins += report.SayStopping;
        report.Begin(socket, limit, time, log);
        return report;
    }

    public void Dispose()
    {
        lock (_gate)
            _isStopping = true;
        _parts.ForEach(part => part.Dispose());
        _manager.Dispose();
    }

    /// <summary>A reload begins. It ends with <see cref="SayReady"/>, whatever becomes of it: until then <c>systemctl reload</c> waits.</summary>
    internal void SayReloading()
    {
        // CLOCK_MONOTONIC, by which systemd tells whether this answers its signal: on Linux that is what Stopwatch reads.
        var now = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
        lock (_gate)
        {
            if (!_isStopping)
                _manager.Send("RELOADING=1", $"MONOTONIC_USEC={now}");
        }
    }

    internal void SayReady() => Say("READY=1");

    /// <summary>Another process is the main one of the service from now on, and reports in our place.</summary>
    internal void SayMain(int process)
    {
        lock (_gate)
        {
            if (_isStopping)
                return;
            _manager.Send($"MAINPID={process}");
            (_isStopping, _isHandedOver) = (true, true);
        }
    }

    /// <summary>The process that was to report in our place is gone.</summary>
    internal void SayMainAgain()
    {
        lock (_gate)
        {
            (_isStopping, _isHandedOver, _said) = (false, false, "");
            _manager.Send($"MAINPID={Environment.ProcessId}");
        }

        SayReady();
    }

    private void Begin(ShimSocket socket, TimeSpan? limit, TimeProvider time, ILogger log)
    {
        SayReady();
        _parts.Add(Background.CreateTimer("the status for systemd", time, () => Say(), s_look, s_look));
        if (limit is not { } within)
            return;
        bool IsAlive(TimeSpan patience)
        {
            var isServed = socket.IsServed(patience) || IsStopping();
            if (!isServed)
                Log.NotAlive(log, socket.Path);
            return isServed;
        }

        _parts.Add(new Watchdog(within, IsAlive, SayAlive, time));
    }

    private void SayAlive()
    {
        if (!_isHandedOver)
            _manager.Send("WATCHDOG=1");
    }

    /// <summary>Says how it goes, if that has changed; ahead of it what else there is to say.</summary>
    private void Say(params ReadOnlySpan<string> first)
    {
        var status = _status.Text();
        lock (_gate)
        {
            if (_isStopping || (status == _said && first.IsEmpty))
                return;
            _said = status;
            _manager.Send([.. first, $"STATUS={status}"]);
        }
    }

    private bool IsStopping()
    {
        lock (_gate)
            return _isStopping;
    }

    private void SayStopping(PosixSignal signal)
    {
        lock (_gate)
        {
            if (!_isStopping)
                _manager.Send("STOPPING=1", $"STATUS=stopping: {signal}");
            _isStopping = true;
        }
    }
}
