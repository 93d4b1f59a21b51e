using ImageCriShim.Configuration;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Inspection;

/// <summary>Can the settings be used? What is said of them says what is allowed as well.</summary>
internal static class SettingsLook
{
    private const string What = "settings";

    public static IEnumerable<Finding> Look(string configPath, ConfigResult config) =>
    [
        .. config.Problems.Select(line => Finding.Problem(What, line)),
        // Which files may be read by everybody is looked at with what holds secrets.
        .. config.Warnings.Where(line => !line.EndsWith(SmallFile.OpenToAll, StringComparison.Ordinal)).Select(line => Finding.Warning(What, line)),
        .. config.Problems.Count == 0 ? new[] { Finding.Ok(What, $"{configPath} can be used") } : [],
    ];
}
