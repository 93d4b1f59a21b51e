using System.Text.Json;
using ImageCriShim.Hosting;

namespace ImageCriShim.Installation;

/// <summary>The shim that runs on this machine while another one is installed.</summary>
internal static class RunningShim
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether one answers that can hand over: the Go shim, and older versions of ours, cannot.</summary>
    /// <param name="socket">Where it serves callers.</param>
    public static bool CanHandOver(string socket)
    {
        try
        {
            using var client = new StatusClient(StatusSocket.PathFor(socket), s_patience);
            using var status = client.GetStatus(CancellationToken.None).GetAwaiter().GetResult();
            return status.RootElement.TryGetProperty("handover", out _);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
