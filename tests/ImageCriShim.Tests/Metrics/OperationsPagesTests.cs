using System.Text.RegularExpressions;
using ImageCriShim.Metrics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Metrics;

/// <summary>What operators are given (docs/OPERATIONS.md, alerts, dashboard) goes by names that there are, and leaves none out.</summary>
public sealed partial class OperationsPagesTests
{
    private static readonly string s_page = Read("docs/OPERATIONS.md");
    private static readonly string s_rules = Read("packaging/prometheus/image-cri-shim.rules.yaml");
    private static readonly IReadOnlyList<Instrument> s_instruments = new ShimMetrics().All;

    [Fact]
    public void The_table_has_every_metric_with_its_type_and_its_help()
    {
        var rows = MetricRow().Matches(s_page).Select(row => (Name: row.Groups[1].Value, Type: row.Groups[2].Value, Help: row.Groups[3].Value));
        rows.ShouldBe(s_instruments.Select(instrument => (instrument.Name, instrument.Type, instrument.Help)));
    }

    [Theory]
    [InlineData("packaging/prometheus/image-cri-shim.rules.yaml")]
    [InlineData("packaging/prometheus/image-cri-shim.rules.test.yaml")]
    [InlineData("packaging/grafana/image-cri-shim.json")]
    [InlineData("docs/OPERATIONS.md")]
    [InlineData("docs/LOGS.md")]
    public void Whatever_names_a_metric_names_one_that_there_is(string file)
    {
        var known = s_instruments.SelectMany(Names).ToHashSet();
        var named = MetricName().Matches(Read(file)).Select(match => match.Value).ToList();
        named.ShouldNotBeEmpty();
        named.Except(known).ShouldBeEmpty();
    }

    [Fact]
    public void Every_alert_has_a_section_which_its_runbook_url_leads_to()
    {
        var alerts = Alert().Matches(s_rules).Select(match => match.Groups[1].Value).ToList();
        alerts.ShouldNotBeEmpty();
        Section().Matches(s_page).Select(match => match.Groups[1].Value).ShouldBe(alerts);
        Runbook().Matches(s_rules).Select(match => match.Groups[1].Value).ShouldBe(alerts.Select(alert => alert.ToLowerInvariant()));
    }

    [Fact]
    public void Every_alert_is_tried_firing_and_silent()
    {
        var tried = Tried().Matches(Read("packaging/prometheus/image-cri-shim.rules.test.yaml")).Select(match => match.Groups[1].Value);
        tried.ShouldBe(Alert().Matches(s_rules).SelectMany(match => new[] { $"{match.Groups[1].Value} fires", $"{match.Groups[1].Value} is silent" }));
    }

    private static IEnumerable<string> Names(Instrument instrument) =>
        instrument.Type == "histogram" ? [instrument.Name, $"{instrument.Name}_bucket", $"{instrument.Name}_sum", $"{instrument.Name}_count"] : [instrument.Name];

    private static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));

    // | `name` | labels | type | meaning |
    [GeneratedRegex(@"^\| `(\w+)` \| [^|]* \| (counter|gauge|histogram) \| ([^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"\b(?:image_cri_shim|process)_[a-z_]+\b")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"^ +- alert: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"^### (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"runbook_url: docs/OPERATIONS\.md#(\w+)$", RegexOptions.Multiline)]
    private static partial Regex Runbook();

    [GeneratedRegex(@"^ +- name: (\w+ (?:fires|is silent))$", RegexOptions.Multiline)]
    private static partial Regex Tried();
}
