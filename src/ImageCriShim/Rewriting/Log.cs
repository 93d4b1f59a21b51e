using Microsoft.Extensions.Logging;

namespace ImageCriShim.Rewriting;

/// <summary>Ids 1400 to 1499.</summary>
internal static partial class Log
{
    [LoggerMessage(1400, LogLevel.Warning, "the record of pulls, {File}, cannot be used: {Problem}. It is now {Aside}, and a new one is begun")]
    internal static partial void RecordSetAside(ILogger log, string file, string problem, string aside);

    [LoggerMessage(1401, LogLevel.Warning, "the record of pulls, {File}, cannot be kept: {Problem}. What is pulled is known until a restart only")]
    internal static partial void RecordNotKept(ILogger log, string file, string problem);

    [LoggerMessage(1402, LogLevel.Information, "the record of pulls, {File}, is kept again")]
    internal static partial void RecordIsWrittenAgain(ILogger log, string file);
}
