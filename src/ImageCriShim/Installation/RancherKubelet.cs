using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// k3s and RKE2. Their own <c>container-runtime-endpoint</c> says that there is a runtime already and that none is to be started; where it is
/// set it is pointed at us. Where it is not, the containerd that they start must go on being started, and so only kubelet is told of us, by
/// <c>kubelet-arg</c>.
/// </summary>
internal sealed partial class RancherKubelet(NodeFiles files, SystemdUnits units, RancherDistribution distribution) : KubeletPointer(files, units)
{
    private const string KubeletArgument = "kubelet-arg";

    public override string Service => distribution.Services.FirstOrDefault(service => Units.Find(service) is not null) ?? distribution.Services[0];

    public override bool IsThere => true;

    /// <summary>Kubelet's own arguments come behind what it is given.</summary>
    public override ToldSocket? Told => Given()
        .Concat(Settings().SelectMany(file => Argument(RuntimeFlag).Matches(file.Text).Select(match => ToldSocket.At(file, match.Groups["value"]))))
        .LastOrDefault();

    public override string? Runtime
    {
        get
        {
            var bringsDocker = Settings().Any(file => YamlText.Find(file, "docker") == "true") || UnitTexts().Any(file => WithDocker().IsMatch(file.Text));
            return Given().LastOrDefault()?.Socket ?? (bringsDocker ? RancherDistribution.CriDockerd : RancherDistribution.Containerd);
        }
    }

    public override IEnumerable<TextEdit> PointAt(string socket)
    {
        var endpoint = Endpoint.Of(socket);
        var settings = Settings().Select(file => PointSettings(file, endpoint)).ToList();
        var flags = UnitsWithFlags().Select(file => file with { Text = FlagText.Point(FlagText.Point(file.Text, RuntimeFlag, endpoint), ImageFlag, endpoint) }).ToList();
        var isTold = settings.Any(file => Tells(file, RuntimeFlag)) || flags.Any(file => FlagText.Has(file.Text, RuntimeFlag));
        if (!isTold)
        {
            // The last list of kubelet's arguments is the one in force.
            var at = Math.Max(0, settings.FindLastIndex(file => YamlText.Has(file, KubeletArgument)));
            settings[at] = WithArgument(settings[at], $"{RuntimeFlag}={endpoint}");
        }

        return settings.Concat(flags).Where(file => file.Text.Length > 0); // a file that is not there is not made for nothing
    }

    /// <summary>The runtimes that the distribution is given instead of its own, the last of which is in force.</summary>
    private IEnumerable<ToldSocket> Given() => Settings().Select(file => YamlText.Socket(file, RuntimeFlag)).OfType<ToldSocket>()
        .Concat(UnitsWithFlags().SelectMany(file => FlagText.Sockets(file, RuntimeFlag)));

    private List<TextEdit> Settings() => [Edit(distribution.ConfigFile), .. Files.List(distribution.DropIns, "*.yaml").Select(Edit)];

    private IEnumerable<TextEdit> UnitTexts() => Units.Sources(Service).Where(path => !SystemdUnits.IsOfAPackage(path)).Select(Edit);

    private IEnumerable<TextEdit> UnitsWithFlags() => UnitTexts().Where(file => FlagText.Has(file.Text, RuntimeFlag) || FlagText.Has(file.Text, ImageFlag));

    private static bool Tells(TextEdit file, string key) => YamlText.Find(file, key) is not null || Argument(key).IsMatch(file.Text);

    private static TextEdit PointSettings(TextEdit file, string endpoint)
    {
        foreach (var key in (string[])[RuntimeFlag, ImageFlag])
        {
            if (YamlText.Find(file, key) is not null)
                file = YamlText.Point(file, key, endpoint);
            file = file with
            {
                Text = Argument(key).Replace(file.Text, match => Endpoint.AreSame(match.Groups["value"].Value, endpoint) ? match.Value : $"{match.Groups["head"]}{endpoint}"),
            };
        }

        return file;
    }

    private static TextEdit WithArgument(TextEdit file, string argument)
    {
        var end = file.Text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var edited = file with
        {
            Text = YamlText.Has(file, KubeletArgument)
                ? FirstEntry().Replace(file.Text, match => match.Groups["flow"].Success
                    ? $"{match.Value}\"{argument}\", "
                    : $"{match.Groups["key"]}{match.Groups["indent"]}- \"{argument}\"{end}{match.Groups["indent"]}- ", 1)
                : TextEdit.WithLine(file.Text, $"{KubeletArgument}:\n  - \"{argument}\""),
        };
        return YamlText.Parses(edited) && YamlText.HasEntry(edited, KubeletArgument, argument) ? edited
            : throw new InstallException($"{file.Path}: {KubeletArgument} stands there in a way that is not edited here; add \"{argument}\" to it yourself, and install again");
    }

    // A flag among kubelet's arguments, in a list of any form, without two dashes in front.
    private static Regex Argument(string flag) => new($"""^(?<head>(?![ \t]*\#)[^\r\n]*?(?<![\w-]){flag}=)(?<value>[^\s"',\]]+)""", RegexOptions.Multiline);

    [GeneratedRegex(@"^(?<key>kubelet-arg\+?[ \t]*:(?:[ \t]*(?<flow>\[)[ \t]*|[ \t]*(?:\#[^\r\n]*)?\r?\n(?:[ \t]*(?:\#[^\r\n]*)?\r?\n)*))(?(flow)|(?<indent>[ \t]*)-[ \t]+)", RegexOptions.Multiline)]
    private static partial Regex FirstEntry();

    [GeneratedRegex(@"(?<![\w-])--docker(?![\w-])")]
    private static partial Regex WithDocker();
}
