using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>Ids 1200 to 1299.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Information, "image-cri-shim {Version}")]
    internal static partial void Starting(ILogger log, string version);

    /// <summary>The names are those of the Go shim, which operators search for.</summary>
    [LoggerMessage(1201, LogLevel.Information, "{Name}: {Value}")]
    internal static partial void Setting(ILogger log, string name, string value);

    [LoggerMessage(1202, LogLevel.Information, "serving on {Socket}, {Milliseconds} ms after the process began")]
    internal static partial void Serving(ILogger log, string socket, long milliseconds);

    [LoggerMessage(1203, LogLevel.Information, "{Signal}: stopping; open calls on {Connections} connections end first, and new ones are served meanwhile")]
    internal static partial void Stopping(ILogger log, string signal, int connections);

    [LoggerMessage(1225, LogLevel.Warning, "{Signal} again: calls on {Connections} connections are cut")]
    internal static partial void Hurrying(ILogger log, string signal, int connections);

    [LoggerMessage(1204, LogLevel.Information, "stopped")]
    internal static partial void Stopped(ILogger log);

    [LoggerMessage(1205, LogLevel.Warning, "{Problem}")]
    internal static partial void ConfigWarning(ILogger log, string problem);

    [LoggerMessage(1209, LogLevel.Information, "{Note}")]
    internal static partial void ConfigNote(ILogger log, string note);

    [LoggerMessage(1206, LogLevel.Error, "{Problem}")]
    internal static partial void StartFailed(ILogger log, string problem);

    [LoggerMessage(1207, LogLevel.Warning, "the owner of {RuntimeSocket} could not be copied; only root may call {ShimSocket}")]
    internal static partial void AccessNotCopied(ILogger log, string runtimeSocket, string shimSocket);

    [LoggerMessage(1212, LogLevel.Information, "{ShimSocket} has the owner and the mode of {RuntimeSocket} now")]
    internal static partial void AccessCopied(ILogger log, string shimSocket, string runtimeSocket);

    [LoggerMessage(1210, LogLevel.Warning, "{Count} lines of event {Event} ({Name}) were left out: of one kind no more than {Burst} are written at once and {PerSecond} a second")]
    internal static partial void LinesLeftOut(ILogger log, long count, int @event, string name, int burst, int perSecond);

    [LoggerMessage(
        1211, LogLevel.Warning, "{Count} lines were lost before this one: standard error took none for too long; look at who reads it (journald, a full pipe, a disk that hangs)")]
    internal static partial void LinesLost(ILogger log, long count);

    [LoggerMessage(1208, LogLevel.Warning, "the runtime is not there yet, calls are answered UNAVAILABLE until it is: {Reason}")]
    internal static partial void StartedWithoutRuntime(ILogger log, string reason);

    [LoggerMessage(
        1220,
        LogLevel.Warning,
        "systemd listens on {Inherited}, but shim: names {Path}, where nobody is served; let ListenStream= of image-cri-shim.socket and shim: name the same")]
    internal static partial void InheritedElsewhere(ILogger log, string inherited, string path);

    [LoggerMessage(
        1221, LogLevel.Error, "the file of the socket that systemd made, {Inherited}, is gone: nobody can call; run systemctl restart image-cri-shim.socket")]
    internal static partial void InheritedFileIsGone(ILogger log, string inherited);

    [LoggerMessage(1222, LogLevel.Error, "{Problem}")]
    internal static partial void FailOpenProblem(ILogger log, string problem);

    [LoggerMessage(
        1223, LogLevel.Error, "FAIL OPEN: the settings cannot be used, so every call is forwarded as it comes and nothing is rewritten; mend the file")]
    internal static partial void FailOpen(ILogger log);

    [LoggerMessage(1230, LogLevel.Information, "a reload was asked for: {File} is read again")]
    internal static partial void ReloadAsked(ILogger log, string file);

    [LoggerMessage(1231, LogLevel.Information, "settings: {Change}")]
    internal static partial void SettingChanged(ILogger log, string change);

    [LoggerMessage(1232, LogLevel.Debug, "settings: {File} was read again, and says what is in force already")]
    internal static partial void NothingChanged(ILogger log, string file);

    [LoggerMessage(1233, LogLevel.Error, "{Problem}")]
    internal static partial void ReloadProblem(ILogger log, string problem);

    [LoggerMessage(1234, LogLevel.Error, "settings: {File} cannot be used as it is now, so what was in force before stays in force; mend it, it is read again when it changes")]
    internal static partial void SettingsStay(ILogger log, string file);

    [LoggerMessage(1235, LogLevel.Information, "settings: {File} can be used again, and is in force")]
    internal static partial void UsableAgain(ILogger log, string file);

    [LoggerMessage(1236, LogLevel.Information, "settings: {File} can be used now and is in force: this is the end of FAIL OPEN, calls that come from now on are edited")]
    internal static partial void FailedOpenUntilNow(ILogger log, string file);

    [LoggerMessage(1237, LogLevel.Error, "settings: a reload failed by a defect of image-cri-shim, and what was in force stays in force; please report this")]
    internal static partial void ReloadBroke(ILogger log, Exception exception);

    [LoggerMessage(1224, LogLevel.Error, "not alive: callers do not reach {Socket}; systemd is not told that all is well, and will restart us")]
    internal static partial void NotAlive(ILogger log, string socket);

    [LoggerMessage(1241, LogLevel.Error, "{What} failed by a defect of image-cri-shim, which goes on; please report this")]
    internal static partial void BackgroundFailed(ILogger log, string what, Exception exception);

    [LoggerMessage(1238, LogLevel.Information, "metrics are served at {Address}")]
    internal static partial void MetricsServed(ILogger log, string address);

    [LoggerMessage(1239, LogLevel.Warning, "metrics and health are not served at {Address}: {Problem}; it is tried again every second. Name another address, or off (metrics)")]
    internal static partial void MetricsNotServed(ILogger log, string address, string problem);

    [LoggerMessage(1240, LogLevel.Warning, "image-cri-shim status will not find this process: {Path} cannot be listened on ({Problem})")]
    internal static partial void StatusNotServed(ILogger log, string path, string problem);

    [LoggerMessage(1242, LogLevel.Warning, "{File} holds secrets and may be read by everybody on this machine; run chmod 600 {File}")]
    internal static partial void SecretsOpenToAll(ILogger log, string file);
}
