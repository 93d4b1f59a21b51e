namespace ImageCriShim.Benchmarks;

/// <summary>One way from a caller to the runtimes: directly, or through a process in the middle.</summary>
/// <param name="Containerd">The socket through which containerd is reached.</param>
/// <param name="Answering">The socket through which <see cref="AnsweringRuntime"/> is reached.</param>
/// <param name="Middle">The process behind <paramref name="Containerd"/>; null where that is containerd.</param>
/// <param name="Shim">The published program; null where there is none.</param>
internal sealed record Way(string Name, string Containerd, string Answering, Daemon? Middle = null, string? Shim = null)
{
    internal const string Direct = "direct";
    internal const string Splice = "splice";
    internal const string OfShim = "shim";

    internal bool IsDirect => Name == Direct;
}
