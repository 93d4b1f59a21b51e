using Microsoft.Extensions.Logging;

namespace ImageCriShim.Cri;

/// <summary>Ids 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "resolved {Image} -> {Candidate} ({How}, {Milliseconds} ms): {Reason}")]
    internal static partial void Resolved(ILogger log, string image, string candidate, string reason, string how, long milliseconds);

    [LoggerMessage(1101, LogLevel.Information, "pulled {Image} as {Candidate} from {Registry} in {Milliseconds} ms")]
    internal static partial void Pulled(ILogger log, string image, string candidate, string registry, long milliseconds);

    [LoggerMessage(1102, LogLevel.Warning, "pull of {Image} as {Candidate} failed: {Code}: {Reason}")]
    internal static partial void PullFailed(ILogger log, string image, string candidate, StatusCode code, string reason);

    [LoggerMessage(1103, LogLevel.Error, "not pulled {Image}: {Code}: {Reason}")]
    internal static partial void NotPulled(ILogger log, string image, StatusCode code, string reason);

    [LoggerMessage(1104, LogLevel.Debug, "found {Image} on the node as {Candidate}")]
    internal static partial void FoundUnderCandidate(ILogger log, string image, string candidate);

    [LoggerMessage(1105, LogLevel.Information, "removed {Image} as {Candidate}")]
    internal static partial void RemovedUnderCandidate(ILogger log, string image, string candidate);

    [LoggerMessage(
        1106, LogLevel.Warning, "no registry can be reached: {Image} is answered with the image that is on the node, {ImageRef}, pulled as {Actual} on {At:u}")]
    internal static partial void AnsweredLocally(ILogger log, string image, string imageRef, string actual, DateTimeOffset at);

    [LoggerMessage(
        1107, LogLevel.Warning, "no registry has {Image} (digestFallback): its tag is taken instead of digest {Pinned}, and it comes as {Actual} with digest {Digest}")]
    internal static partial void CameByTag(ILogger log, string image, string pinned, string actual, string digest);

    [LoggerMessage(1108, LogLevel.Information, "there is no record of pulls yet: {Count} names of images on the node are taken into it, as far as the settings tell")]
    internal static partial void RecordBegun(ILogger log, int count);

    [LoggerMessage(1110, LogLevel.Warning, "{Count} pulls are in progress, which is the limit; that of {Image} was refused")]
    internal static partial void TooManyPulls(ILogger log, int count, string image);

    [LoggerMessage(
        1111, LogLevel.Warning,
        "registry {Registry} has {Image} but sent no data within {Seconds} s: for {Minutes} minutes other registries come first for it, and for every image if others wait in vain too; is its storage slow, or the line to it?")]
    internal static partial void Stalled(ILogger log, string registry, string image, long seconds, long minutes);

    [LoggerMessage(
        1113, LogLevel.Warning,
        "registry {Registry} has {Image} and did not send all of it within {Seconds} s (timeout): for {Minutes} minutes other registries come first for it; is its storage slow, or the line to it?")]
    internal static partial void Late(ILogger log, string registry, string image, long seconds, long minutes);

    [LoggerMessage(
        1114, LogLevel.Information,
        "the pull of {Image} as {Candidate} is ended: {Registry}, which had it when it was asked last, is set aside; other registries are asked")]
    internal static partial void Left(ILogger log, string image, string candidate, string registry);

    [LoggerMessage(1112, LogLevel.Information, "cache: {Images} images known; of the last {Lookups} pulls {Hits} asked no registry")]
    internal static partial void CacheStats(ILogger log, int images, long lookups, long hits);

    [LoggerMessage(1109, LogLevel.Debug, "{Count} recorded images are not on the node any more, and are forgotten")]
    internal static partial void PullsForgotten(ILogger log, int count);
}
