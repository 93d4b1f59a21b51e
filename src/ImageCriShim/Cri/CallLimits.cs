using ImageCriShim.Registries;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>How much all callers together may want of the shim itself at once. One object for the process.</summary>
internal sealed class CallLimits(TimeProvider time)
{
    /// <summary>
    /// Pulls in progress, whatever they wait for. A node has a few hundred containers, and a pull that waits costs some KiB. One more is
    /// refused with RESOURCE_EXHAUSTED.
    /// </summary>
    internal const int MaxPulls = 4096;

    /// <summary>
    /// Of these at the runtime, each on a connection of its own. kubelet asks for far fewer at once, and containerd loads three layers at a
    /// time of each. The others wait in line for as long as their callers do.
    /// </summary>
    internal const int MaxPullsAtRuntime = 256;

    /// <summary>
    /// Of requests that came compressed, inflated: some KiB can become 16 MiB. No caller of the runtime compresses; beyond the bound such a
    /// request is forwarded as given.
    /// </summary>
    internal const long MaxInflatedBytes = 64L * 1024 * 1024;

    internal Places Pulls { get; } = new(MaxPulls, 0, time);

    internal Places PullsAtRuntime { get; } = new(MaxPullsAtRuntime, MaxPulls, time);

    internal HeldBytes Inflated { get; } = new(MaxInflatedBytes);
}
