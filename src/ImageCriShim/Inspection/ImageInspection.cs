using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>
/// Looks at the image of a node, once: at its files alone. Neither the processes and sockets of this machine nor registries say anything of a
/// node that does not run yet.
/// </summary>
/// <param name="configPath">Of the config file, in the image.</param>
/// <param name="config">What it comes to.</param>
/// <param name="origins">Where its values stand.</param>
/// <param name="files">Of the image.</param>
internal sealed class ImageInspection(string configPath, ConfigResult config, Origins origins, NodeFiles files)
{
    public IReadOnlyList<Finding> Look()
    {
        var settings = config.Settings ?? throw new InvalidOperationException("settings that cannot be used are looked at elsewhere");
        var root = new NodeRoot(files);
        return
        [
            .. SettingsLook.Look(files.NameOf(configPath), config),
            .. SecretsLook.Look(files, config, settings, origins),
            KubeletLook.Look(root, settings.ShimSocket, settings.RuntimeSocket),
            .. CrictlLook.Look(root, settings.ShimSocket),
            Finding.Warning(
                "running node", "was not looked at: runtime, shim, registries, pause image and clock can be seen on the node alone",
                Remedy.Do("on the node, once it has started, run: image-cri-shim check")),
        ];
    }
}
