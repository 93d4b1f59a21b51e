using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Hosting;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim status</c>: how the daemon that runs on this node is doing, asked over its private socket.</summary>
internal static class StatusCommand
{
    private const int Ok = 0;
    private const int NotThere = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // it answers within one, whatever hangs behind it

    internal static Command Make(Option<string> file, Option<OutputFormat> output)
    {
        var command = new Command(
            "status",
            "Show how the running daemon is doing: runtime, registries, caches, the last pulls and why they came from where they came; exit code 1 if none runs. Example: image-cri-shim status")
        {
            output,
        };
        command.SetAction((parsed, cancellation) => Run(parsed.GetValue(file)!, parsed.GetValue(output), cancellation));
        return command;
    }

    /// <returns>The exit code: 0 shown, 1 no daemon answers.</returns>
    private static async Task<int> Run(string configPath, OutputFormat output, CancellationToken cancellation)
    {
        var settings = ConfigFile.Load(configPath).Settings ?? SalvagedSockets.Read(configPath); // it may run on older ones, or fail open
        var path = StatusSocket.PathFor(settings.ShimSocket);
        try
        {
            using var daemon = new StatusClient(path, s_patience);
            var json = await daemon.Get("/status", cancellation);
            using var status = JsonDocument.Parse(json);
            Console.Out.Write(output is OutputFormat.Json ? json : StatusText.Format(status.RootElement, DateTimeOffset.UtcNow));
            return Ok;
        }
        catch (Exception e) when (IsNoAnswer(e, cancellation))
        {
            await Console.Error.WriteLineAsync($"no image-cri-shim answers on {path}: {Why(e)}");
            return NotThere;
        }
    }

    /// <summary>Whether this is how a question ends that no daemon answers.</summary>
    internal static bool IsNoAnswer(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested);

    /// <summary>Why no daemon answers, and what to do.</summary>
    internal static string Why(Exception e) => e switch
    {
        { InnerException: SocketException { SocketErrorCode: SocketError.AccessDenied } } => "only root may ask",
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => "the process that made it is gone; look at: systemctl status image-cri-shim",
        { InnerException: SocketException } => "there is no such socket; look at: systemctl status image-cri-shim (or name its config file with -f)",
        OperationCanceledException => $"it did not answer within {s_patience.TotalSeconds} s",
        _ => "its answer cannot be read; is it another version?",
    };
}
