using Microsoft.Extensions.Logging;

namespace ImageCriShim.Relay;

/// <summary>Ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Warning, "A connection was closed because its peer broke the protocol: {Reason}")]
    internal static partial void PeerBrokeProtocol(ILogger log, string reason);

    [LoggerMessage(1001, LogLevel.Error, "An edited call failed within image-cri-shim; this is a defect, please report it")]
    internal static partial void EditedCallFailed(ILogger log, Exception exception);

    [LoggerMessage(1005, LogLevel.Error, "A connection failed within image-cri-shim; this is a defect, please report it")]
    internal static partial void ConnectionFailed(ILogger log, Exception exception);

    [LoggerMessage(1002, LogLevel.Warning, "{Count} connections are open, which is the limit; a new one was refused")]
    internal static partial void TooManyConnections(ILogger log, int count);

    [LoggerMessage(1006, LogLevel.Warning, "{Connections} connections are open and {Refusals} more are being refused; a new one was closed")]
    internal static partial void ConnectionDropped(ILogger log, int connections, int refusals);

    [LoggerMessage(1007, LogLevel.Error, "{Problem}; callers are refused until one is free")]
    internal static partial void NoRoom(ILogger log, string problem);

    [LoggerMessage(1008, LogLevel.Warning, "{Count} calls are cut, because they did not end within {Limit} (--stop-timeout); callers see UNAVAILABLE: {Calls}")]
    internal static partial void CallsCut(ILogger log, int count, string limit, string calls);

    [LoggerMessage(1009, LogLevel.Information, "{Count} streams are ended that have carried no message lately: {Calls}")]
    internal static partial void StreamsEnded(ILogger log, int count, string calls);

    [LoggerMessage(1003, LogLevel.Warning, "{Reason}; calls are answered UNAVAILABLE until it is back")]
    internal static partial void RuntimeAway(ILogger log, string reason);

    [LoggerMessage(1004, LogLevel.Information, "The runtime {Socket} is back")]
    internal static partial void RuntimeBack(ILogger log, string socket);
}
