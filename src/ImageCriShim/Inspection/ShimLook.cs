using ImageCriShim.Configuration;
using ImageCriShim.Relay;

namespace ImageCriShim.Inspection;

/// <summary>Is the shim's socket served, by the shim, and does a call get through to the runtime?</summary>
internal static class ShimLook
{
    private const string What = "shim";
    private const string Program = "image-cri-shim";

    /// <param name="settings">Which name the socket.</param>
    /// <param name="runtime">What is behind it; null where that does not answer.</param>
    /// <param name="cancellation">Nobody wants to know any more.</param>
    public static async Task<Finding> Look(ShimSettings settings, RuntimeAnswers? runtime, CancellationToken cancellation)
    {
        var path = settings.ShimSocket;
        if (runtime is not null && FileIdentity.Find(runtime.Socket) is { } behind && behind.IsSameFile(FileIdentity.Find(path)))
            return Finding.Problem(What, $"{path} is the runtime's own socket", Remedy.Do("remove the link, and give shim: in the config file a path of its own"));
        int? server;
        using (var socket = new RuntimeSocket(path, TimeProvider.System).TryConnect(out _))
        {
            if (socket is null)
                return Finding.Warning(What, $"does not serve {path} yet", Remedy.Run("systemctl start image-cri-shim"));
            server = SocketPeer.FindProcess(socket);
        }

        if (server is { } process && FindStranger(process) is { } stranger)
            return Finding.Problem(What, $"{path} is served by {stranger} (process {process})", Remedy.Do("end that program, or give shim: in the config file a path of its own"));
        using var shim = new RuntimeAnswers(path, settings.ProbeTimeout);
        return await shim.Ask(settings.Version, cancellation) is { } silence
            ? Finding.Problem(What, $"serves {path}, but a call does not get through: {silence}", Remedy.Run("journalctl -u image-cri-shim -n 20"))
            : Finding.Ok(What, $"serves {path}; {shim.Name} {shim.Version} answers through it");
    }

    /// <returns>The program's name; null where it is the shim, or systemd that holds the socket for it.</returns>
    private static string? FindStranger(int process) => ProcessArguments.Of(process) switch
    {
        [] => null, // it may not be seen
        var arguments when process == 1 || arguments.Take(2).Any(word => word.Contains(Program, StringComparison.Ordinal)) => null,
        [var program, ..] => Path.GetFileName(program),
    };
}
