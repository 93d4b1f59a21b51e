using ImageCriShim.Relay;

namespace ImageCriShim.Hosting;

/// <summary>How it goes, in one line.</summary>
/// <param name="failOpen">Null: the settings are in force.</param>
internal sealed class ServiceStatus(string socket, RuntimeSocket runtime, Func<int> connections, FailOpen? failOpen)
{
    internal string Text()
    {
        using var connected = runtime.TryConnect(out var reason);
        var serving = $"{connections()} connections on {socket}";
        var behind = connected is null ? $"{reason}; calls are answered UNAVAILABLE until it is back" : $"runtime {runtime.Path} is there";
        var text = failOpen is null ? $"{serving}; {behind}" : $"{failOpen.Summary}; {serving}; {behind}";
        return text.ReplaceLineEndings(" ");
    }
}
