using System.Text.RegularExpressions;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>
/// k3s and RKE2. Their own <c>container-runtime-endpoint</c> says that there is a runtime already and that none is to be started; where it is
/// set it is pointed at us. Where it is not, the containerd that they start must go on being started, and so only kubelet is told of us, by
/// <c>kubelet-arg</c>: in the unit if that has any, since then those of the settings do not count, else in the settings.
/// </summary>
internal sealed partial class RancherKubelet(NodeFiles files, SystemdUnits units, string service, RancherDistribution distribution)
    : KubeletPointer(files, units, service)
{
    private const string KubeletArgument = "kubelet-arg";

    public override bool IsThere => true;

    /// <summary>Kubelet's own arguments come behind what it is given.</summary>
    public override ToldSocket? Told => Given().Concat(Arguments()).LastOrDefault();

    public override string? Runtime
    {
        get
        {
            var bringsDocker = Settings().Any(file => YamlText.Find(file, "docker") == "true") || UnitTexts().Any(file => WithDocker().IsMatch(file.Text));
            return Given().LastOrDefault()?.Socket ?? (bringsDocker ? RancherDistribution.CriDockerd : RancherDistribution.Containerd);
        }
    }

    public override IEnumerable<TextEdit> Sources => Settings().Concat(UnitTexts()).Concat(Variables()).DistinctBy(file => file.Path);

    public override IEnumerable<TextEdit> PointAt(string socket)
    {
        var endpoint = Endpoint.Of(socket);
        var dropIn = new PackageOverride(Files, Service);
        var all = UnitTexts().Where(file => file.Path != dropIn.Path).ToList();
        var settings = Settings().Select(file => PointSettings(file, endpoint)).ToList();
        var isInUnit = HasArguments(all);
        var isTold = Given().Any() || Arguments(settings, all).Any();
        string PointUnit(string text) => WithFlags(text, endpoint, isAdded: !isTold && isInUnit);
        if (!isTold && !isInUnit)
        {
            var at = FirstInForce(settings);
            settings[at] = YamlText.AddEntry(settings[at], KubeletArgument, $"{RuntimeFlag}={endpoint}");
        }

        var owned = all.Where(file => !SystemdUnits.IsOfAPackage(file.Path)).Select(file => file with { Text = PointUnit(file.Text) });
        var edits = settings.Concat(owned).Where(file => file.Text.Length > 0); // a file that is not there is not made for nothing
        return dropIn.Find(all, PointUnit) is { } packaged ? edits.Append(packaged) : edits;
    }

    /// <summary>The runtimes that the distribution is given instead of its own, the last of which is in force.</summary>
    private IEnumerable<ToldSocket> Given() => Settings().Select(file => YamlText.Socket(file, RuntimeFlag)).OfType<ToldSocket>()
        .Concat(UnitTexts().SelectMany(file => FlagText.Sockets(file, RuntimeFlag)));

    private IEnumerable<ToldSocket> Arguments() => Arguments(Settings(), [.. UnitTexts()]);

    /// <summary>What kubelet's arguments say. A list in a later file replaces that of an earlier one.</summary>
    private static IEnumerable<ToldSocket> Arguments(IReadOnlyList<TextEdit> settings, IReadOnlyList<TextEdit> unit) =>
        from file in HasArguments(unit) ? unit : settings.Skip(FirstInForce(settings))
        from match in Argument(RuntimeFlag).Matches(file.Text)
        where !FlagText.IsComment(file.Text, match.Groups["value"].Index)
        select ToldSocket.At(file, match.Groups["value"]);

    private static bool HasArguments(IEnumerable<TextEdit> unit) => unit.Any(file => FlagText.Has(file.Text, KubeletArgument));

    private static int FirstInForce(IReadOnlyList<TextEdit> settings) =>
        Math.Max(0, settings.ToList().FindLastIndex(file => YamlText.Has(file, KubeletArgument)));

    /// <summary>The file of settings, and what is laid over it.</summary>
    private List<TextEdit> Settings()
    {
        var flag = UnitTexts().SelectMany(file => Command().Matches(file.Text)).SelectMany(command => ConfigFlag().Matches(command.Value)).LastOrDefault();
        var variable = UnitTexts().Concat(Variables()).SelectMany(file => Variable().Matches(file.Text))
            .LastOrDefault(match => match.Groups["name"].Value == distribution.ConfigVariable);
        var named = (flag ?? variable)?.Groups["path"].Value ?? distribution.ConfigFile;
        var dropIns = Files.List($"{named}.d", "*.yaml").Concat(Files.List($"{named}.d", "*.yml")).Order(StringComparer.Ordinal);
        return [Edit(named), .. dropIns.Select(Edit)];
    }

    private IEnumerable<TextEdit> Variables() => VariableFiles().Where(Files.HasFile).Select(Edit);

    private static TextEdit PointSettings(TextEdit file, string endpoint)
    {
        foreach (var key in (string[])[RuntimeFlag, ImageFlag])
        {
            if (YamlText.Find(file, key) is not null)
                file = YamlText.Point(file, key, endpoint);
            file = file with { Text = PointArgument(file.Text, key, endpoint) };
        }

        return file;
    }

    private static string WithFlags(string text, string endpoint, bool isAdded)
    {
        foreach (var flag in (string[])[RuntimeFlag, ImageFlag])
            text = PointArgument(FlagText.Point(text, flag, endpoint), flag, endpoint);
        return isAdded ? Command().Replace(text, command => WithArgument(command.Value, endpoint)) : text;
    }

    private static string WithArgument(string command, string endpoint) => Argument(RuntimeFlag).IsMatch(command)
        ? command
        : FirstArgument().Replace(command, match => $"--{KubeletArgument}={RuntimeFlag}={endpoint} {match.Value}", 1);

    private static string PointArgument(string text, string flag, string endpoint) => Argument(flag).Replace(text, match =>
        FlagText.IsComment(text, match.Groups["value"].Index) || Endpoint.AreSame(match.Groups["value"].Value, endpoint)
            ? match.Value
            : $"{match.Groups["head"]}{endpoint}");

    // A flag among kubelet's arguments, in a list of any form or in the command, without two dashes in front.
    private static Regex Argument(string flag) => new($"""(?<head>(?<![\w-]){flag}=)(?<value>[^\s"',\]]+)""");

    [GeneratedRegex(@"(?<![\w-])--docker(?![\w-])")]
    private static partial Regex WithDocker();

    // With the lines that it goes on in.
    [GeneratedRegex(@"^[ \t]*ExecStart=(?:[^\n\\]|\\\r?\n|\\.)*", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"(?<=[\s'""])(?:--config|-c)['""]?[=\s\\]+['""]?(?<path>/[^\s""'\\]+)")]
    private static partial Regex ConfigFlag();

    [GeneratedRegex(@"^[^#;\r\n]*?(?<![\w])(?<name>[A-Z0-9]+_CONFIG_FILE)=[""']?(?<path>/[^\s""']+)", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"(?<=\s)['""]?--kubelet-arg(?![\w-])")]
    private static partial Regex FirstArgument();
}
