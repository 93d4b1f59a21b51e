using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Metrics;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;
using Log = ImageCriShim.Hosting.Log;

namespace ImageCriShim;

/// <summary>From the config file to a serving daemon: everything is made here, from top to bottom.</summary>
internal static class ShimHost
{
    private const int Ok = 0;
    private const int CannotStart = 1;
    private const int BadConfig = 2;

    /// <summary>Serves until SIGTERM or SIGINT.</summary>
    /// <param name="failOpen">Serve even if the configuration is unusable, and forward everything unread.</param>
    /// <returns>The exit code: 0 stopped as asked, 1 cannot start, 2 the configuration is unusable.</returns>
    internal static int Serve(string configPath, LogFormat format, bool failOpen)
    {
        var identity = ConfigIdentity.Look(configPath); // looked at before it is read: what is written meanwhile is read later
        var config = ConfigFile.Load(configPath);
        using var log = MakeLog(format, config.Settings?.Debug == true); // whose last lines are written however this ends
        Log.Starting(log, ShimVersion.Text);
        foreach (var warning in config.Warnings)
            Log.ConfigWarning(log, warning);
        foreach (var note in config.Notes)
            Log.ConfigNote(log, note);
        if (config.Settings is null && !failOpen)
            return Fail(log, config.Problems, BadConfig);

        var open = config.Settings is null ? new FailOpen(config.Problems, log) : null;
        open?.Say();
        var settings = config.Settings ?? SalvagedSockets.Read(configPath);
        var runtimePath = settings.RuntimeSocket;
        if (runtimePath is null && (runtimePath = RuntimeDiscovery.Find(RuntimeDiscovery.WellKnown, TimeProvider.System, out var problem)) is null)
            return Fail(log, [problem], BadConfig);
        LogSettings(log, settings, runtimePath);
        var metrics = new ShimMetrics();
        using var routing = new CallRouting(new RuntimeSocket(runtimePath, TimeProvider.System), metrics, log);
        settings = settings with { RuntimeSocket = runtimePath };
        using var reload = new Reload(configPath, identity, config, settings, open, routing, metrics, TimeProvider.System, log);
        return Serve(settings, routing, reload, metrics, log);
    }

    private static int Serve(ShimSettings settings, CallRouting routing, Reload reload, ShimMetrics metrics, StderrLogger log)
    {
        var runtime = routing.Runtime;
        // Callers that wait in systemd's socket get an answer; were we to end, systemd would start us for them again at once, and again.
        if (!IsReady(runtime, settings.Force || InheritedSocket.IsThere, log, out var reason))
            return Fail(log, [reason], CannotStart);
        try
        {
            using var socket = ShimSocket.Open(settings.ShimSocket, log);
            using var access = SocketAccess.Follow(socket, runtime, TimeProvider.System, log);
            reload.Begin();
            using var reminder = new Reminder(() => reload.FailOpen?.Say(), TimeProvider.System);
            var listener = new RelayListener(socket.Acceptor, runtime, routing.Begin, metrics, log);
            var status = new ServiceStatus(socket.Path, runtime, () => listener.Connections, () => reload.FailOpen?.Summary ?? reload.Trouble);

            using var stop = new Stop(socket, listener, log);
            socket.Appear(); // last: whoever sees the file may call us, and end us
            Log.Serving(log, socket.Path, (long)ProcessAge.Now.TotalMilliseconds);
            using var report = ServiceReport.Begin(socket, status, stop, TimeProvider.System, log);
            reload.Watch(report);
            var pages = new DaemonPages(socket, listener, routing, reload, metrics);
            pages.Observe(log);
            using var endpoint = new MetricsEndpoint(pages.Find, TimeProvider.System, log);
            using var onlookers = StatusSocket.TryOpen(socket.Path, pages.FindPrivate, log);
            stop.Begins += _ => endpoint.Dispose(); // the port is our successor's
            endpoint.Listen(settings.Metrics);
            reload.Adopted += adopted => endpoint.Listen(adopted.Metrics);
            using var cold = new ColdPages(TimeProvider.System);
            listener.Run();
            reload.Dispose();
            listener.EndCalls(stop.Hurry);
            Log.Stopped(log);
            return Ok;
        }
        catch (ShimSocketException e)
        {
            return Fail(log, [e.Message], CannotStart);
        }
    }

    /// <summary>A runtime that is not there yet is an error unless forced; one that has left its socket behind is restarting.</summary>
    private static bool IsReady(RuntimeSocket runtime, bool force, ILogger log, out string reason)
    {
        reason = "";
        if (runtime.WhyAway() is not { } away || FileIdentity.Find(runtime.Path) is { IsSocket: true })
            return true;
        if (force)
            Log.StartedWithoutRuntime(log, away);
        reason = $"cri: {away}; start the runtime first, or set force: true";
        return force;
    }

    private static void LogSettings(ILogger log, ShimSettings settings, string runtimePath)
    {
        Log.Setting(log, "shim-socket", settings.ShimSocket);
        Log.Setting(log, "cri-socket", runtimePath);
        if (settings.Registries.IsEmpty)
            return; // failing open
        var offline = settings.Offline;
        Log.Setting(log, "hub-address", $"{offline.Address}");
        Log.Setting(log, "Auth", $"{offline.Credentials?.ToString() ?? "none"}");
        Log.Setting(log, "RegistryDomain", offline.Host);
        foreach (var registry in settings.Registries.Where(registry => !registry.IsOffline))
            Log.Setting(log, "registry", $"{registry}, Auth: {registry.Credentials?.ToString() ?? "none"}");
        Log.Setting(log, "Force", $"{settings.Force}");
        Log.Setting(log, "Debug", $"{settings.Debug}");
        Log.Setting(log, "Timeout", $"{settings.Timeout}");
    }

    private static StderrLogger MakeLog(LogFormat format, bool debug)
    {
        // systemd sets it where standard error is the journal (systemd.exec(5)).
        var underJournald = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null;
        // Console.Error would set up the terminal as well, although nobody types.
        var output = new StreamWriter(Console.OpenStandardError(), bufferSize: -1) { AutoFlush = true };
        var log = new StderrLogger(format, debug ? LogLevel.Debug : LogLevel.Information, TimeProvider.System, output, underJournald);
        AppDomain.CurrentDomain.UnhandledException += (_, _) => log.Flush(); // what led to it comes before it
        return log;
    }

    private static int Fail(ILogger log, IEnumerable<string> problems, int exitCode)
    {
        foreach (var problem in problems)
            Log.StartFailed(log, problem);
        return exitCode;
    }
}
