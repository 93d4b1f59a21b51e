using ImageCriShim.Relay;

namespace ImageCriShim.Hosting;

/// <summary>How it goes, in one line.</summary>
/// <param name="trouble">What is wrong with the settings; null: those of the file are in force.</param>
internal sealed class ServiceStatus(string socket, RuntimeSocket runtime, Func<int> connections, Func<string?> trouble)
{
    internal string Text()
    {
        var serving = $"{connections()} connections on {socket}";
        var behind = runtime.WhyAway() is { } reason ? $"{reason}; calls are answered UNAVAILABLE until it is back" : $"runtime {runtime.Path} is there";
        var text = trouble() is { } wrong ? $"{wrong}; {serving}; {behind}" : $"{serving}; {behind}";
        return PrintableText.Of(text);
    }
}
