using System.CommandLine;
using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim check</c>: is everything on this node, or in an image of one, as it must be for images to come? Neither the daemon nor the
/// runtime need run, and nothing is changed.
/// </summary>
internal static class CheckCommand
{
    private const int NothingFound = 0;
    private const int ToBeMended = 1;
    private const int BadConfig = 2;

    public static Command Make(Option<string> file, Option<OutputFormat> output)
    {
        var root = new Option<string>("--root")
        {
            Description = "Look at the image or chroot in this directory instead: its settings, secrets, kubelet and crictl.",
            DefaultValueFactory = _ => "/",
        };
        var check = new Command(
            "check",
            "Look at this node: settings, secrets, runtime, registries, kubelet, crictl, clock; each finding with what mends it. Exit code 1 if something is to be mended, 2 if the settings cannot be used. Example: image-cri-shim check")
        {
            output,
            root,
        };
        check.SetAction((parsed, cancellation) => Run(parsed.GetValue(file)!, parsed.GetValue(root)!, parsed.GetValue(output), cancellation));
        return check;
    }

    private static async Task<int> Run(string configPath, string root, OutputFormat output, CancellationToken cancellation)
    {
        var files = new NodeFiles(root);
        var origins = new Origins();
        var config = files.IsThisMachine ? ConfigFile.Load(configPath, origins) : new ImageConfig(files).Load(configPath, origins);
        IReadOnlyList<Finding> findings = config.Settings is null ? [.. SettingsLook.Look(files.NameOf(configPath), config)]
            : files.IsThisMachine ? await new NodeInspection(configPath, config, origins, new NodeRoot(files), TimeProvider.System, Environment.GetEnvironmentVariable).Look(cancellation)
            : new ImageInspection(configPath, config, origins, files).Look();
        await Console.Out.WriteAsync(output is OutputFormat.Json ? CheckJson.Format(findings) : CheckText.Format(findings, HasColour));
        return CodeOf(config, findings);
    }

    /// <summary>The exit code.</summary>
    internal static int CodeOf(ConfigResult config, IEnumerable<Finding> findings) =>
        config.Settings is null ? BadConfig : findings.Any(finding => finding.State is FindingState.Problem) ? ToBeMended : NothingFound;

    /// <summary>See no-color.org.</summary>
    private static bool HasColour => !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
}
