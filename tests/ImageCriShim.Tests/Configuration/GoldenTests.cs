using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Tests.Configuration;

/// <summary>
/// Each <c>golden/NAME.yaml</c> gives exactly what <c>golden/NAME.expected</c> says. To add a case: write the first, run, and
/// put what the failure shows into the second if it is what should be.
/// </summary>
public sealed class GoldenTests
{
    internal static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Configuration", "golden");

    public static TheoryData<string> Cases() => [.. Directory.GetFiles(Folder, "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_file_gives_the_expected_settings_or_problems(string name)
    {
        var expected = Path.Combine(Folder, name + ".expected");

        var actual = Print(ConfigFile.Load(Path.Combine(Folder, name + ".yaml")));

        var isExpected = File.Exists(expected) && File.ReadAllText(expected) == actual;
        isExpected.ShouldBeTrue($"{name}.expected should hold, if this is right:\n{actual}");
    }

    [Fact]
    public void No_line_about_a_file_shows_a_secret()
    {
        foreach (var name in Cases().Select(row => row.Data))
        {
            var said = Print(ConfigFile.Load(Path.Combine(Folder, name + ".yaml")));
            foreach (var secret in new[] { "passw0rd", "secret1", "secret2", "secret3", "secret4", "a:b#c", "with:colons", "anotherpass", "secret5", "secret6", "secret7" })
                said.ShouldNotContain(secret);
        }
    }

    private static string Print(ConfigResult result)
    {
        var text = new StringBuilder();
        Section(text, "problems", result.Problems);
        Section(text, "warnings", result.Warnings);
        Section(text, "notes", result.Notes);
        if (result.Settings is { } settings)
            Section(text, "settings", Lines(settings));
        return text.ToString();
    }

    private static void Section(StringBuilder text, string title, IEnumerable<string> lines)
    {
        var all = lines.ToList();
        if (all.Count > 0)
            text.Append(title).Append(":\n").AppendJoin("", all.Select(line => $"  {line}\n"));
    }

    private static IEnumerable<string> Lines(ShimSettings s) =>
    [
        $"shim {s.ShimSocket}, cri {s.RuntimeSocket ?? "to be found"}, image {s.StateDirectory}",
        $"force {s.Force}, debug {s.Debug}, version {s.Version}, offlineOnly {s.OfflineOnly}, digestFallback {s.DigestFallback}, serveLocal {s.ServeLocal}, names {s.Names}, metrics {s.Metrics?.ToString() ?? "off"}",
        $"timeout {s.Timeout}, reloadInterval {s.ReloadInterval}, probeTimeout {s.ProbeTimeout}",
        $"cache {s.Cache.ImageCacheSize} for {s.Cache.ImageCacheTtl}, misses {s.Cache.MissTtl}, statistics {s.Cache.StatsLogInterval?.ToString() ?? "off"}",
        $"exclude [{string.Join(", ", s.Exclude)}], block [{string.Join(", ", s.Block)}]",
        .. s.Registries.Select(Line),
    ];

    private static string Line(Registry r) =>
        $"registry {r.Address} as {r.Host} priority {r.Priority}{(r.IsOffline ? " offline" : "")}, credential {r.Credentials?.ToString() ?? "none"}{(r.ForwardPullSecrets ? " or the pod's" : "")}, "
        + $"tls ({r.Tls}), images [{string.Join(", ", r.Images)}], exclude [{string.Join(", ", r.Exclude)}], path {r.Path}";
}
