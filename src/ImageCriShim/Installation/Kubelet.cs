using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// kubelet as a unit of its own: kubeadm's, or a plain one. A flag wins over the file of settings, so where there is one it is what is
/// changed, wherever it stands: in the unit, in a drop-in, in a file of variables.
/// </summary>
internal sealed partial class Kubelet(NodeFiles files, SystemdUnits units) : KubeletPointer(files, units)
{
    private const string Unit = "kubelet.service";
    private const string RuntimeKey = "containerRuntimeEndpoint";
    private const string ImageKey = "imageServiceEndpoint";
    private const string ConfigFile = "/var/lib/kubelet/config.yaml";
    private const string KubeadmFlags = "/var/lib/kubelet/kubeadm-flags.env";
    private const string ExtraArguments = "KUBELET_EXTRA_ARGS";

    // Which kubeadm writes again over the other one at each upgrade.
    private const string InstanceConfigFile = "/var/lib/kubelet/instance-config.yaml";

    private static readonly string[] s_programs = ["/usr/bin/kubelet", "/usr/local/bin/kubelet"];
    private static readonly string[] s_extraFiles = ["/etc/default/kubelet", "/etc/sysconfig/kubelet"];
    private static readonly string[] s_variableFiles = [KubeadmFlags, "/var/lib/kubelet/kubelet-flags.env", .. s_extraFiles];

    public override string Service => Unit;

    public override bool IsThere => Units.Find(Unit) is not null || s_programs.Concat(s_variableFiles).Append(ConfigFile).Any(Files.HasFile);

    public override ToldSocket? Told =>
        Flags().SelectMany(file => FlagText.Sockets(file, RuntimeFlag)).LastOrDefault() ?? Settings().Select(file => YamlText.Socket(file, RuntimeKey)).FirstOrDefault();

    public override string? Runtime => Told?.Socket;

    public override IEnumerable<TextEdit> PointAt(string socket)
    {
        var endpoint = Endpoint.Of(socket);
        var flags = Flags().ToList();
        if (flags.SelectMany(file => FlagText.Values(file.Text, "container-runtime")).LastOrDefault() == "docker")
            throw new InstallException($"kubelet runs Docker itself (--container-runtime=docker), and nothing can stand in between; install cri-dockerd or containerd and point kubelet at it first");
        foreach (var edit in flags.Where(file => !SystemdUnits.IsOfAPackage(file.Path)))
            yield return edit with { Text = Point(edit.Text, endpoint) };
        if (PackageOverride.Find(flags, Files, Unit, text => Point(text, endpoint)) is { } dropIn)
            yield return dropIn;

        var isFlagged = flags.Any(file => FlagText.Has(file.Text, RuntimeFlag));
        var settings = Settings().ToList();
        foreach (var file in settings)
            yield return PointSettings(file, endpoint, runtime: !isFlagged && (file == settings[0] || YamlText.Has(file, RuntimeKey)), image: !flags.Any(one => FlagText.Has(one.Text, ImageFlag)));
        if (!isFlagged && settings.Count == 0)
            yield return AddFlag(endpoint);
        if (!isFlagged && settings.Count > 0 && Files.HasFile(KubeadmFlags) && !settings.Any(file => YamlText.Has(file, RuntimeKey)))
            throw new InstallException($"{KubeadmFlags} names no runtime: kubelet before 1.24 then runs Docker itself, and nothing can stand in between; "
                + $"with any other runtime add --{RuntimeFlag}=unix://PATH there, and install again");
    }

    private static string Point(string text, string endpoint) => FlagText.Point(FlagText.Point(text, RuntimeFlag, endpoint), ImageFlag, endpoint);

    private static TextEdit PointSettings(TextEdit file, string endpoint, bool runtime, bool image)
    {
        if (runtime)
            file = YamlText.Point(file, RuntimeKey, endpoint);
        return image && YamlText.Find(file, ImageKey) is not null ? YamlText.Point(file, ImageKey, endpoint) : file;
    }

    /// <summary>Of an image that kubeadm has not made a node of yet: what it writes then names a runtime, and these arguments come behind it.</summary>
    private TextEdit AddFlag(string endpoint)
    {
        var sources = Units.Sources(Unit).Select(path => Edit(path).Text).ToList();
        var path = Array.Find(s_extraFiles, file => sources.Exists(text => text.Contains(file, StringComparison.Ordinal))) ?? Array.Find(s_extraFiles, Files.HasFile);
        if (path is not null)
            return Edit(path) is var file ? file with { Text = FlagText.Append(file.Text, ExtraArguments, $"--{RuntimeFlag}={endpoint}") } : null!;
        throw new InstallException(sources.Count > 0
            ? $"{Unit} does not say which runtime kubelet calls, and has no file of settings; add --{RuntimeFlag}=unix://PATH to its command, and install again"
            : $"no kubelet is found: neither {Unit} nor {string.Join(", ", [ConfigFile, .. s_variableFiles])} nor {string.Join(", ", RancherDistribution.All.Select(one => one.Directory))}; install it first");
    }

    /// <summary>Whatever may hold flags of kubelet, what wins last.</summary>
    private IEnumerable<TextEdit> Flags()
    {
        var units = Units.Sources(Unit).Select(Edit).ToList();
        var named = units.SelectMany(file => EnvironmentFile().Matches(file.Text)).Select(match => match.Groups[1].Value).Where(path => path.StartsWith('/'));
        return units.Concat(s_variableFiles.Concat(named).Where(Files.HasFile).Select(Edit)).DistinctBy(file => file.Path);
    }

    private IEnumerable<TextEdit> Settings()
    {
        var named = Flags().SelectMany(file => FlagText.Values(file.Text, "config")).LastOrDefault();
        return new[] { named ?? ConfigFile, InstanceConfigFile }.Where(Files.HasFile).Select(Edit).DistinctBy(file => file.Path);
    }

    [GeneratedRegex(@"^[ \t]*EnvironmentFile=-?([^\s*?\[]+)[ \t]*\r?$", RegexOptions.Multiline)]
    private static partial Regex EnvironmentFile();
}
