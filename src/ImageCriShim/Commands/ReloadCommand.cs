using System.CommandLine;
using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Hosting;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim reload</c>: the daemon takes over what is new, and this waits for the outcome.</summary>
internal static class ReloadCommand
{
    private const int Ok = 0;
    private const int Failed = 1;
    private const int CannotHandOver = 3;
    private const int Taken = 200;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // of each question
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1); // the daemon gives up after 15 s of each step

    internal static Command Make(Option<string> file)
    {
        var handover = new Option<bool>("--handover") { Description = "Hand over to a new process even if the program is the same." };
        var command = new Command(
            "reload",
            "Let the running daemon take over what is new: the settings and, if another program is installed, that too, without losing a call; "
            + "exit code 1 if it cannot, and all is as it was. Example: image-cri-shim reload")
        {
            handover,
        };
        command.SetAction((parsed, cancellation) => Run(parsed.GetValue(file)!, parsed.GetValue(handover), cancellation));
        return command;
    }

    /// <returns>The exit code: 0 done, 1 not, 3 the daemon is of a version that cannot hand over.</returns>
    private static async Task<int> Run(string configPath, bool always, CancellationToken cancellation)
    {
        var settings = ConfigFile.Load(configPath).Settings ?? SalvagedSockets.Read(configPath); // it may run on older ones, or fail open
        using var daemon = new StatusClient(StatusSocket.PathFor(settings.ShimSocket), s_patience);
        try
        {
            string before;
            using (var asked = await daemon.GetStatus(cancellation))
                before = Process(asked);
            var (status, body) = await daemon.Post(always ? "/reload?handover" : "/reload", default, cancellation);
            if (status != Taken)
                return await Say(CannotHandOver, $"{before} cannot hand over, it is too old: run systemctl restart image-cri-shim");
            using var answer = JsonDocument.Parse(body);
            if (answer.RootElement.GetProperty("handover").GetBoolean())
                return await WaitForSuccessor(daemon, before, cancellation);
            return answer.RootElement.GetProperty("problem").GetString() is { } problem
                ? await Say(Failed, problem)
                : await Say(Ok, $"{before} serves by the settings of {configPath}");
        }
        catch (Exception e) when (StatusCommand.IsNoAnswer(e, cancellation))
        {
            return await Say(Failed, $"no image-cri-shim answers on {daemon.Socket}: {StatusCommand.Why(e)}");
        }
    }

    private static async Task<int> WaitForSuccessor(StatusClient daemon, string before, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_longest);
        while (true)
        {
            await Task.Delay(s_interval, patience.Token);
            using var status = await daemon.GetStatus(patience.Token);
            var handover = status.RootElement.GetProperty("handover");
            if (Process(status) is var now && now != before && !handover.GetProperty("underWay").GetBoolean())
                return await Say(Ok, $"{now} serves in place of {before}, which ends with its last call");
            if (now == before && handover.TryGetProperty("reason", out var reason))
                return await Say(Failed, $"the handover failed, and {before} goes on serving: {reason.GetString()}");
        }
    }

    private static string Process(JsonDocument status) =>
        $"process {status.RootElement.GetProperty("pid")} ({status.RootElement.GetProperty("version")})";

    private static async Task<int> Say(int code, string text)
    {
        await (code == Ok ? Console.Out : Console.Error).WriteLineAsync(text);
        return code;
    }
}
