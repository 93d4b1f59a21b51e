using ImageCriShim.Concurrency;
using ImageCriShim.Configuration;
using ImageCriShim.Handover;
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

    /// <summary>Serves until SIGTERM or SIGINT, or until a successor serves.</summary>
    /// <returns>The exit code: 0 stopped as asked, 1 cannot start, 2 the configuration is unusable.</returns>
    internal static int Serve(ServeOptions options)
    {
        using var predecessor = Predecessor.Find();
        var identity = ConfigIdentity.Look(options.ConfigPath); // looked at before it is read: what is written meanwhile is read later
        var config = ConfigFile.Load(options.ConfigPath);
        using var log = MakeLog(options.Format, config.Settings?.Debug == true); // whose last lines are written however this ends
        Log.Starting(log, ShimVersion.Text);
        foreach (var warning in config.Warnings)
            Log.ConfigWarning(log, warning);
        foreach (var note in config.Notes)
            Log.ConfigNote(log, note);
        foreach (var file in config.OpenToAll)
            Log.SecretsOpenToAll(log, file);
        // A predecessor whose settings can be used is better than a successor that forwards everything unread.
        if (config.Settings is null && !(options.FailOpen && predecessor?.IsFailingOpen is not false))
            return Fail(log, predecessor, config.Problems, BadConfig);

        var open = config.Settings is null ? new FailOpen(config.Problems, log) : null;
        open?.Say();
        var settings = config.Settings ?? SalvagedSockets.Read(options.ConfigPath);
        var runtimePath = settings.RuntimeSocket;
        if (runtimePath is null && (runtimePath = RuntimeDiscovery.Find(RuntimeDiscovery.WellKnown, TimeProvider.System, out var problem)) is null)
            return Fail(log, predecessor, [problem], BadConfig);
        LogSettings(log, settings, runtimePath);
        var metrics = new ShimMetrics();
        using var routing = new CallRouting(new RuntimeSocket(runtimePath, TimeProvider.System), metrics, log);
        settings = settings with { RuntimeSocket = runtimePath };
        using var reload = new Reload(options.ConfigPath, identity, config, settings, open, routing, metrics, TimeProvider.System, log);
        // Callers that wait in a socket that we inherit get an answer; were we to end, systemd would start us for them again at once, and again.
        if (!IsReady(routing.Runtime, settings.Force || InheritedSocket.IsThere || predecessor is not null, log, out var reason))
            return Fail(log, predecessor, [reason], CannotStart);
        using var daemon = new Daemon(options, settings, routing, reload, metrics, predecessor, log);
        return Serve(daemon, predecessor, log);
    }

    private static int Serve(Daemon daemon, Predecessor? predecessor, StderrLogger log)
    {
        try
        {
            daemon.Run();
            return Ok;
        }
        catch (ShimSocketException e)
        {
            return Fail(log, predecessor, [e.Message], CannotStart);
        }
        catch (HandoverException e)
        {
            Handover.Log.CannotTakeOver(log, e.Message);
            return CannotStart;
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
        Background.ReportTo((what, exception) => Log.BackgroundFailed(log, what, exception));
        AppDomain.CurrentDomain.UnhandledException += (_, _) => log.Flush(); // what led to it comes before it
        return log;
    }

    private static int Fail(ILogger log, Predecessor? predecessor, IReadOnlyList<string> problems, int exitCode)
    {
        predecessor?.Refuse(problems.Count > 1 ? $"{problems[0]} (and {problems.Count - 1} more)" : problems[0]);
        foreach (var problem in problems)
            Log.StartFailed(log, problem);
        return exitCode;
    }
}
