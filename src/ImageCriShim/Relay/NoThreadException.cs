namespace ImageCriShim.Relay;

/// <summary>The machine has no room for another thread, or this process no descriptor for starting one: both look the same.</summary>
internal sealed class NoThreadException() : Exception(Reason)
{
    internal static string Reason => $"no thread can be started: the unit's TasksMax is reached, or {Descriptors.Exhausted}";
}
