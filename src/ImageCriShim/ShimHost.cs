using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Hosting;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
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
    /// <returns>The exit code: 0 stopped as asked, 1 cannot start, 2 the configuration is unusable.</returns>
    internal static int Serve(string configPath, LogFormat format)
    {
        var config = ConfigFile.Load(configPath);
        var log = MakeLog(format, config.Settings?.Debug == true);
        Log.Starting(log, ShimVersion.Text);
        foreach (var warning in config.Warnings)
            Log.ConfigWarning(log, warning);
        foreach (var note in config.Notes)
            Log.ConfigNote(log, note);
        if (config.Settings is not { } settings)
            return Fail(log, config.Problems, BadConfig);

        var runtimePath = settings.RuntimeSocket;
        if (runtimePath is null && (runtimePath = RuntimeDiscovery.Find(RuntimeDiscovery.WellKnown, TimeProvider.System, out var problem)) is null)
            return Fail(log, [problem], BadConfig);
        LogSettings(log, settings, runtimePath);
        return Serve(settings, new RuntimeSocket(runtimePath, TimeProvider.System), log);
    }

    private static int Serve(ShimSettings settings, RuntimeSocket runtime, ILogger log)
    {
        if (!IsReady(runtime, settings.Force, log, out var reason))
            return Fail(log, [reason], CannotStart);
        try
        {
            using var socket = ShimSocket.Listen(settings.ShimSocket);
            if (!socket.TryCopyAccess(runtime.Path))
                Log.AccessNotCopied(log, runtime.Path, settings.ShimSocket);

            using var registries = new RegistryClient(TimeProvider.System);
            using var calls = new RuntimeClient(runtime);
            using var outages = new Outages(registries, TimeProvider.System, log);
            using var state = NodeState.Open(settings.StateDirectory, log);
            var resolver = new Resolver(settings, outages, TimeProvider.System);
            var environment = new CallEnvironment(settings, resolver, registries, calls, state.Pulls, state.Missing, TimeProvider.System, log);
            var beginning = new ConnectionBeginning(() => environment, new RecordBeginning(state, calls, TimeProvider.System, log));
            var router = new CriRouter(() => environment, beginning.Begin);
            using var listener = new RelayListener(socket.Listener, runtime, router.Begin, log);

            using var stop = new Stop(socket, listener, log);
            socket.Appear(); // last: whoever sees the file may call us, and end us
            Log.Serving(log, settings.ShimSocket, (long)ProcessAge.Now.TotalMilliseconds);
            listener.Run();
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
        using var connected = runtime.TryConnect(out reason);
        if (connected is not null || FileIdentity.Find(runtime.Path) is { IsSocket: true })
            return true;
        reason = $"cri: {reason}; start the runtime first, or set force: true";
        if (force)
            Log.StartedWithoutRuntime(log, reason);
        return force;
    }

    private static void LogSettings(ILogger log, ShimSettings settings, string runtimePath)
    {
        var offline = settings.Offline;
        Log.Setting(log, "shim-socket", settings.ShimSocket);
        Log.Setting(log, "cri-socket", runtimePath);
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
        return new StderrLogger(format, debug ? LogLevel.Debug : LogLevel.Information, TimeProvider.System, output, underJournald);
    }

    private static int Fail(ILogger log, IEnumerable<string> problems, int exitCode)
    {
        foreach (var problem in problems)
            Log.StartFailed(log, problem);
        return exitCode;
    }
}
