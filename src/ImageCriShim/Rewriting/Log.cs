using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>Ids 1400 to 1499.</summary>
internal static partial class Log
{
    [LoggerMessage(1400, LogLevel.Warning, "{What}, {File}, cannot be used: {Problem}. It is now {Aside}, and a new one is begun")]
    internal static partial void StateSetAside(ILogger log, string what, string file, string problem, string aside);

    [LoggerMessage(1401, LogLevel.Warning, "the state directory {Directory} cannot be used: {Problem}. What is pulled is known until a restart only")]
    internal static partial void StateNotKept(ILogger log, string directory, string problem);

    [LoggerMessage(1403, LogLevel.Warning, "the state directory {Directory} {Stranger}: whoever it is can make image-cri-shim forget; give it to this process's user, with mode 0700")]
    internal static partial void StateOpenToOthers(ILogger log, string directory, string stranger);

    [LoggerMessage(1402, LogLevel.Information, "the state directory {Directory} can be used again")]
    internal static partial void StateIsKeptAgain(ILogger log, string directory);

    [LoggerMessage(1404, LogLevel.Warning, "the disk of the state directory {Directory} does not answer: images are not known by the names that they were pulled by until it does; look at the disk, or at what is mounted there")]
    internal static partial void StateNotReadYet(ILogger log, string directory);

    [LoggerMessage(1405, LogLevel.Information, "the state directory {Directory} has been read after all")]
    internal static partial void StateIsRead(ILogger log, string directory);
}
