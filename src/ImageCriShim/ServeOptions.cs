using ImageCriShim.Hosting;

namespace ImageCriShim;

/// <summary>How the daemon was told to serve.</summary>
/// <param name="ConfigPath">The config file.</param>
/// <param name="Format">Of the log.</param>
/// <param name="FailOpen">Serve even if the configuration is unusable, and forward everything unread.</param>
/// <param name="StopTimeout">How long a stop waits for open calls.</param>
/// <param name="DrainTimeout">How long open calls go on after a handover.</param>
internal sealed record ServeOptions(string ConfigPath, LogFormat Format, bool FailOpen, TimeSpan StopTimeout, TimeSpan DrainTimeout)
{
    /// <summary>More than the 30 s that a pod gets to end by default (StopContainer), and less than TimeoutStopSec= of the unit.</summary>
    internal static readonly TimeSpan StopTimeoutByDefault = TimeSpan.FromSeconds(40);

    internal static readonly TimeSpan DrainTimeoutByDefault = TimeSpan.FromHours(1);
}
