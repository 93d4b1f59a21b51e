using System.Reflection;

namespace ImageCriShim;

/// <summary>This release.</summary>
internal static class ShimVersion
{
    internal static string Text { get; } =
        typeof(ShimVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
