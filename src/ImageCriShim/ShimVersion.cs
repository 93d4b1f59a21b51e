using System.Reflection;
using System.Runtime.CompilerServices;

namespace ImageCriShim;

/// <summary>This release.</summary>
internal static class ShimVersion
{
    internal static string Text { get; } =
        typeof(ShimVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>How the program is compiled: <c>native</c> as it is released, <c>jit</c> as a build for tests.</summary>
    internal static string Flavour { get; } = RuntimeFeature.IsDynamicCodeCompiled ? "jit" : "native";
}
