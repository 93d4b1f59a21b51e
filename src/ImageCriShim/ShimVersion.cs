using System.Reflection;
using System.Runtime.CompilerServices;

namespace ImageCriShim;

/// <summary>This release.</summary>
internal static class ShimVersion
{
    internal static string Text { get; } =
        typeof(ShimVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>How it was compiled: <c>native</c>, or <c>ready-to-run</c> (which a build for tests counts as).</summary>
    internal static string Flavour { get; } = RuntimeFeature.IsDynamicCodeCompiled ? "ready-to-run" : "native";
}
