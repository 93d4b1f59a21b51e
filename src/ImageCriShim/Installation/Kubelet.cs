using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// kubelet as a unit of its own: kubeadm's, or a plain one. A flag wins over the files of settings, so where there is one it is what is
/// changed, wherever it stands: in the unit, in a drop-in, in a file of variables.
/// </summary>
internal sealed class Kubelet(NodeFiles files, SystemdUnits units, string service) : KubeletPointer(files, units, service)
{
    private const string ConfigFile = "/var/lib/kubelet/config.yaml";
    private const string KubeadmFlags = "/var/lib/kubelet/kubeadm-flags.env";
    private const string ExtraArguments = "KUBELET_EXTRA_ARGS";

    private static readonly string[] s_programs = ["/usr/bin/kubelet", "/usr/local/bin/kubelet"];
    private static readonly string[] s_extraFiles = ["/etc/default/kubelet", "/etc/sysconfig/kubelet"];
    private static readonly string[] s_variableFiles = [KubeadmFlags, "/var/lib/kubelet/kubelet-flags.env", .. s_extraFiles];

    public override bool IsThere =>
        Units.Find(Service) is not null || s_programs.Concat(s_variableFiles).Append(ConfigFile).Any(Files.HasFile);

    public override ToldSocket? Told =>
        Flags().SelectMany(file => FlagText.Sockets(file, RuntimeFlag)).LastOrDefault() ?? Settings().Runtime;

    public override string? Runtime => Told?.Socket;

    public override IEnumerable<TextEdit> Sources => Flags().Concat(Settings().Files).DistinctBy(file => file.Path);

    public override IEnumerable<TextEdit> PointAt(string socket)
    {
        var endpoint = Endpoint.Of(socket);
        var dropIn = new PackageOverride(Files, Service);
        var flags = Flags().Where(file => file.Path != dropIn.Path).ToList();
        if (flags.SelectMany(file => FlagText.Values(file.Text, "container-runtime")).LastOrDefault() == "docker")
        {
            throw new InstallException("kubelet runs Docker itself (--container-runtime=docker), and nothing can stand in between; "
                + "install cri-dockerd or containerd and point kubelet at it first");
        }

        var owned = flags.Where(file => !SystemdUnits.IsOfAPackage(file.Path));
        var edits = owned.Select(file => file with { Text = Point(file.Text, endpoint) }).ToList();
        var packaged = dropIn.Find(flags, text => Point(text, endpoint));
        if (packaged is null)
            return edits.Concat(PointSettings(flags, endpoint));
        var variable = dropIn.IsCopy ? null : LastVariable.Find(Files, flags, VariableFiles().Where(s_extraFiles.Contains));
        return (variable?.AddTo(edits, FlagsOf(flags, endpoint)) ?? edits.Append(packaged)).Concat(PointSettings(flags, endpoint));
    }

    private static string Point(string text, string endpoint) => FlagText.Point(FlagText.Point(text, RuntimeFlag, endpoint), ImageFlag, endpoint);

    /// <summary>Those that a package's unit has, for our socket.</summary>
    private static List<string> FlagsOf(List<TextEdit> flags, string endpoint)
    {
        var packaged = flags.Where(file => SystemdUnits.IsOfAPackage(file.Path)).ToList();
        return [.. new[] { RuntimeFlag, ImageFlag }.Where(flag => packaged.Exists(file => FlagText.Has(file.Text, flag))).Select(flag => $"--{flag}={endpoint}")];
    }

    private IEnumerable<TextEdit> PointSettings(List<TextEdit> flags, string endpoint)
    {
        var settings = Settings();
        var isFlagged = flags.Any(file => FlagText.Has(file.Text, RuntimeFlag));
        if (!isFlagged && settings.Files.Count == 0)
            return [AddFlag(endpoint)];
        if (!isFlagged && Files.HasFile(KubeadmFlags) && settings.Runtime is null)
        {
            throw new InstallException(
                $"{KubeadmFlags} names no runtime: kubelet before 1.24 then runs Docker itself, and nothing can stand in between; with any other runtime add --{RuntimeFlag}=unix://PATH there, and install again");
        }

        return settings.PointAt(endpoint, runtime: !isFlagged, image: !flags.Any(one => FlagText.Has(one.Text, ImageFlag)));
    }

    /// <summary>Of an image that kubeadm has not made a node of yet: what it writes then names a runtime, and these arguments come behind it.</summary>
    private TextEdit AddFlag(string endpoint)
    {
        var named = VariableFiles().ToList();
        var isInstalled = Units.Sources(Service).Any();
        if ((Array.Find(s_extraFiles, named.Contains) ?? Array.Find(s_extraFiles, Files.HasFile)) is { } path)
        {
            var file = Edit(path);
            return file with { Text = VariableText.Append(file.Text, ExtraArguments, $"--{RuntimeFlag}={endpoint}") };
        }

        var places = string.Join(", ", [ConfigFile, .. s_variableFiles]);
        throw new InstallException(isInstalled
            ? $"{Service} does not say which runtime kubelet calls, and has no file of settings; "
                + $"add --{RuntimeFlag}=unix://PATH to its command, and install again"
            : $"no kubelet is found: neither {Service} nor {places} nor {string.Join(", ", RancherDistribution.All.Select(one => one.Directory))}; install it first");
    }

    /// <summary>Whatever may hold flags of kubelet, what wins last. A file that its unit does not read is none.</summary>
    private IEnumerable<TextEdit> Flags()
    {
        var variables = Units.Find(Service) is null ? s_variableFiles.Concat(VariableFiles()) : VariableFiles();
        return UnitTexts().Concat(variables.Where(Files.HasFile).Select(Edit)).DistinctBy(file => file.Path);
    }

    private KubeletSettings Settings()
    {
        var flags = Flags().ToList();
        return new KubeletSettings(Files, ValueOf("config") ?? ConfigFile, ValueOf("config-dir"));

        string? ValueOf(string flag) => flags.SelectMany(file => FlagText.Values(file.Text, flag)).LastOrDefault(path => path.StartsWith('/'));
    }
}
