using Microsoft.Extensions.Logging;

namespace ImageCriShim.Handover;

/// <summary>Ids 1500 to 1599.</summary>
internal static partial class Log
{
    [LoggerMessage(1500, LogLevel.Information, "handing over to {Program}")]
    internal static partial void HandingOver(ILogger log, string program);

    [LoggerMessage(
        1501, LogLevel.Information,
        "process {Process} ({Version}) serves from now on; this one ends with its last call, {Limit} from now at the latest (--drain-timeout), and has {Connections} connections")]
    internal static partial void HandedOver(ILogger log, int process, string version, string limit, int connections);

    [LoggerMessage(1502, LogLevel.Error, "the handover failed, and this process goes on serving as before: {Reason}")]
    internal static partial void HandoverFailed(ILogger log, string reason);

    [LoggerMessage(1503, LogLevel.Information, "took over from another process, which ends with its last call")]
    internal static partial void TookOver(ILogger log);

    [LoggerMessage(1504, LogLevel.Warning, "process {Process}, which this one handed over to, has ended; this one serves again until another is started")]
    internal static partial void TakenBack(ILogger log, int process);

    [LoggerMessage(1505, LogLevel.Warning, "the drain is over ({Limit}): {Count} calls are cut, and callers see UNAVAILABLE")]
    internal static partial void DrainCut(ILogger log, string limit, int count);

    [LoggerMessage(1506, LogLevel.Information, "drained: the last call has ended")]
    internal static partial void Drained(ILogger log);

    [LoggerMessage(1507, LogLevel.Error, "cannot take over: {Reason}")]
    internal static partial void CannotTakeOver(ILogger log, string reason);
}
