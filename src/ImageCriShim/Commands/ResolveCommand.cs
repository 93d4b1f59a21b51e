using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim resolve IMAGE</c>: why does this image come from there? Asks the registries itself, with the settings of the
/// config file; neither the daemon nor the runtime is needed, and nothing is remembered.
/// </summary>
internal static class ResolveCommand
{
    private const int Ok = 0;
    private const int NothingHasIt = 1;
    private const int BadConfig = 2;

    /// <returns>The exit code: 0 a registry has it or none is to be asked, 1 nothing has it or it is refused, 2 the configuration is unusable.</returns>
    public static async Task<int> Run(string configPath, string image, OutputFormat output, CancellationToken cancellation)
    {
        var config = ConfigFile.Load(configPath);
        foreach (var remark in config.Problems.Concat(config.Warnings))
            await Console.Error.WriteLineAsync(remark);
        if (config.Settings is not { } settings)
            return BadConfig;

        using var client = new RegistryClient(TimeProvider.System);
        using var outages = new Outages(client, TimeProvider.System, NullLogger.Instance);
        var resolver = new Resolver(settings, outages, TimeProvider.System);
        var resolution = await Resolution.Of(image, settings, resolver, client, cancellation);
        await Console.Out.WriteAsync(output is OutputFormat.Json ? ResolutionJson.Format(resolution) : ResolutionText.Format(resolution));
        return resolution.IsSomewhere ? Ok : NothingHasIt;
    }
}

/// <summary>How a command writes what it found.</summary>
internal enum OutputFormat
{
    Text,
    Json,
}
