using Microsoft.Extensions.Logging;

namespace ImageCriShim.Registries;

/// <summary>Ids 1300 to 1399.</summary>
internal static partial class Log
{
    [LoggerMessage(1300, LogLevel.Warning, "registry {Registry} is set aside: {Reason}; nobody waits for it until it answers again")]
    internal static partial void SetAside(ILogger log, string registry, string reason);

    [LoggerMessage(1301, LogLevel.Information, "registry {Registry} is back after {Seconds} s ({Answer})")]
    internal static partial void Back(ILogger log, string registry, long seconds, string answer);

    [LoggerMessage(1302, LogLevel.Information, "registry {Registry} fails for {Image} ({Reason}) and answers for others: it is asked as before")]
    internal static partial void ImageBroken(ILogger log, string registry, string image, string reason);
}
