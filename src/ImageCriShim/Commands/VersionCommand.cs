using System.CommandLine;
using System.Runtime.InteropServices;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim version</c>: what this binary is, for a report.</summary>
internal static class VersionCommand
{
    internal static Command Make()
    {
        var version = new Command("version", "Print the version, how it was compiled, and for which machine. Example: image-cri-shim version");
        version.SetAction(_ => Console.Write(Text()));
        return version;
    }

    private static string Text() =>
        $"""
        image-cri-shim {ShimVersion.Text}
        flavour        {ShimVersion.Flavour}
        .NET           {Environment.Version}
        machine        linux {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}
        CRI            runtime.v1, runtime.v1alpha2

        """;
}
