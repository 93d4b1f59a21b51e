using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Installation;

/// <summary>The config file that the unit names. One that is there is never changed, and must be usable.</summary>
internal sealed partial class ShimConfig(NodeFiles files)
{
    public const string Path = "/etc/image-cri-shim.yaml";

    private const int MaxAuthBytes = 64 * 1024; // user and password are a few dozen octets, a token is some KiB

    /// <summary>Null where there is no file yet.</summary>
    /// <exception cref="InstallException">It cannot be used.</exception>
    public ShimSettings? Load()
    {
        if (!files.HasFile(Path))
            return null;
        var config = files.IsThisMachine ? ConfigFile.Load(Path) : new ImageConfig(files).Load(Path);
        return config.Settings ?? throw new InstallException(
            [.. config.Problems, $"{Path} is there and is never changed by install, but cannot be used; mend it, and install again"], InstallException.BadSettings);
    }

    /// <summary>The example, with this node's runtime and this registry.</summary>
    /// <param name="authFile">Holds <c>user:password</c>; null for a registry that asks for neither.</param>
    public FileChange Create(string runtime, string address, string? authFile)
    {
        var text = Cri().Replace(Packaged.Read(Packaged.Settings), _ => $"cri: {runtime}\n");
        text = Address().Replace(text, _ => $"address: {address}\n");
        text = Auth().Replace(text, _ => authFile is null ? "" : $"auth: {Quote(ReadAuth(authFile))}\n");
        Check(text);
        return new FileChange(files.Resolve(Path), FileState.Absent, FileState.File(Encoding.UTF8.GetBytes(text), FileState.Private), ChangeOf.Shim);
    }

    /// <summary>What is wrong with an address; null for nothing.</summary>
    public static string? WhyNoAddress(string address) =>
        RegistryAddress.TryParse(address, out _, out var problem) ? null : $"--address: {problem}; use {RegistryAddress.Allowed}";

    private static void Check(string text)
    {
        var report = new ConfigReport(System.IO.Path.GetFileName(Path));
        if (YamlFile.Parse(text, report) is { } map)
            SettingsReader.Read([map]);
        if (report.Problems.Count > 0)
            throw new InstallException(report.Problems, InstallException.BadSettings);
    }

    private static string ReadAuth(string path)
    {
        var text = ReadText(path).TrimEnd('\r', '\n');
        return text.Contains(':') && !text.Any(char.IsControl) ? text
            : throw new InstallException($"--auth-file {path}: does not hold user:password; write one line", InstallException.BadSettings);
    }

    private static string ReadText(string path)
    {
        try
        {
            return TextFile.Read(path, MaxAuthBytes) ?? throw new InstallException($"--auth-file {path}: is larger than {MaxAuthBytes / 1024} KiB; is it the right file?", InstallException.BadSettings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InstallException($"--auth-file {path}: {YamlFile.WhyUnreadable(e)}", InstallException.BadSettings);
        }
    }

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    [GeneratedRegex(@"^cri:.*\n", RegexOptions.Multiline)]
    private static partial Regex Cri();

    [GeneratedRegex(@"^address:.*\n", RegexOptions.Multiline)]
    private static partial Regex Address();

    [GeneratedRegex(@"^auth:.*\n", RegexOptions.Multiline)]
    private static partial Regex Auth();
}
