using System.ComponentModel;
using System.Diagnostics;

namespace ImageCriShim.Hosting;

/// <summary>The unit by which systemd listens for us.</summary>
internal static class SocketUnit
{
    private const string Name = "image-cri-shim.socket";

    // 128 + 15: systemd sends SIGTERM to all processes of the service, and this question is one of them if it is quicker than that.
    private const int TerminatedBySignal = 143;

    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // calls go on meanwhile

    /// <summary>
    /// Whether systemd is about to close the socket, together with a stop of the service: nobody serves the callers that wait in it then.
    /// </summary>
    /// <param name="systemctl">The program that tells us.</param>
    /// <returns>False where that is not known.</returns>
    internal static async Task<bool> IsClosing(string systemctl = "systemctl")
    {
        try
        {
            using var patience = new CancellationTokenSource(s_patience);
            while (true)
            {
                var start = new ProcessStartInfo(systemctl, ["show", "--property=LoadState,ActiveState,Job", Name])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                };
                using var process = Process.Start(start)!;
                var properties = (await process.StandardOutput.ReadToEndAsync(patience.Token)).Split('\n');
                await process.WaitForExitAsync(patience.Token);
                if (process.ExitCode is not TerminatedBySignal)
                    return properties.Contains("LoadState=loaded") && (!properties.Contains("ActiveState=active") || properties.Any(IsJob));
                await Task.Delay(s_again, patience.Token);
            }
        }
        catch (Exception e) when (e is Win32Exception or OperationCanceledException or IOException)
        {
            return false; // no systemd, or one that does not answer
        }
    }

    /// <summary>Beside that of the service itself there is one for the socket only if it is stopped or restarted as well.</summary>
    private static bool IsJob(string property) => property.StartsWith("Job=", StringComparison.Ordinal) && property is not ("Job=" or "Job=0");
}
