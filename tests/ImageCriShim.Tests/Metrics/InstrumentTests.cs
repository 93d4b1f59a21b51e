using ImageCriShim.Metrics;

namespace ImageCriShim.Tests.Metrics;

/// <summary>What is counted, as Prometheus' text format has it.</summary>
public sealed class InstrumentTests
{
    [Fact]
    public void A_counter_shows_a_number_for_each_of_its_labels_values()
    {
        var counter = new Counter("things_total", "Things.", "kind", "result").From("a", "ok");
        counter.Add("b", "failed");
        counter.Add("b", "failed");
        Show(counter).ShouldBe("""
            # HELP image_cri_shim_things_total Things.
            # TYPE image_cri_shim_things_total counter
            image_cri_shim_things_total{kind="a",result="ok"} 0
            image_cri_shim_things_total{kind="b",result="failed"} 2

            """);
    }

    [Fact]
    public void Values_of_labels_are_escaped()
    {
        var counter = new Counter("things_total", "Things.", "kind");
        counter.Add("a\"b\\c\nd\e[2J\u202e");
        Show(counter).ShouldContain("""things_total{kind="a\"b\\c d [2J "} 1""");
    }

    [Fact]
    public void A_histogram_counts_up_to_each_bound()
    {
        var histogram = new Histogram("wait_seconds", "Waiting.", [0.1, 1], "where");
        foreach (var seconds in new[] { -1, 0.1, 0.5, 2 })
            histogram.Add(TimeSpan.FromSeconds(seconds), "here");
        Show(histogram).ShouldBe("""
            # HELP image_cri_shim_wait_seconds Waiting.
            # TYPE image_cri_shim_wait_seconds histogram
            image_cri_shim_wait_seconds_bucket{where="here",le="0.1"} 2
            image_cri_shim_wait_seconds_bucket{where="here",le="1"} 3
            image_cri_shim_wait_seconds_bucket{where="here",le="+Inf"} 4
            image_cri_shim_wait_seconds_sum{where="here"} 2.6
            image_cri_shim_wait_seconds_count{where="here"} 4

            """);
    }

    [Fact]
    public void A_gauge_is_shown_when_it_has_a_source()
    {
        var gauge = new Gauge("level", "A level.");
        Show(gauge).ShouldNotContain("\nimage_cri_shim_level ");
        gauge.ComesFrom(() => 2.5);
        Show(gauge).ShouldEndWith("\nimage_cri_shim_level 2.5\n");
    }

    [Fact]
    public void Calls_are_counted_by_method_and_code()
    {
        var calls = new CallCounts();
        var version = calls.Of("/runtime.v1.RuntimeService/Version"u8);
        version.Add(0);
        version.Add(0);
        calls.Of("/runtime.v1.RuntimeService/Version"u8).Add(14);
        calls.Of("/runtime.v1.ImageService/PullImage"u8).Add(99); // there is no such code
        Show(calls).ShouldBe("""
            # HELP image_cri_shim_calls_total Calls of callers that have ended, by method and gRPC code.
            # TYPE image_cri_shim_calls_total counter
            image_cri_shim_calls_total{method="runtime.v1.ImageService/PullImage",code="UNKNOWN"} 1
            image_cri_shim_calls_total{method="runtime.v1.RuntimeService/Version",code="OK"} 2
            image_cri_shim_calls_total{method="runtime.v1.RuntimeService/Version",code="UNAVAILABLE"} 1

            """);
    }

    [Fact]
    public void Callers_cannot_name_methods_without_end()
    {
        var calls = new CallCounts();
        for (var i = 0; i < 2 * CallCounts.MaxMethods; i++)
            calls.Of(System.Text.Encoding.ASCII.GetBytes($"/any.Service/Method{i}")).Add(0);
        calls.Of(new byte[CallCounts.MaxPathBytes + 1]).Add(0);
        calls.Of([]).Add(0);
        Show(calls).Split('\n').Count(line => line.StartsWith("image_cri_shim_calls_total{", StringComparison.Ordinal)).ShouldBe(CallCounts.MaxMethods + 1);
        Show(calls).ShouldContain($"{{method=\"other\",code=\"OK\"}} {CallCounts.MaxMethods + 2}\n");
    }

    [Fact]
    public void Registries_that_reloads_bring_have_an_end_too()
    {
        var counter = new Counter("things_total", "Things.", "registry");
        for (var i = 0; i < SeriesByLabels<Count>.MaxSeries + 5; i++)
            counter.Add($"r{i}");
        Show(counter).ShouldContain("{registry=\"other\"} 5\n");
    }

    [Fact]
    public void No_call_is_lost_where_many_threads_count()
    {
        var calls = new CallCounts();
        const int each = 2000;
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < each; i++)
                calls.Of(System.Text.Encoding.ASCII.GetBytes($"/any.Service/Method{i % 50}")).Add(0);
        });
        Enumerable.Range(0, 50).ShouldAllBe(i => Show(calls).Contains($"Method{i}\",code=\"OK\"}} {8 * each / 50}\n"));
    }

    [Fact]
    public void Every_instrument_has_a_name_of_its_own_and_a_sentence()
    {
        var all = new ShimMetrics().All;
        all.Select(instrument => instrument.Name).ShouldBeUnique();
        all.ShouldAllBe(instrument => instrument.Help.EndsWith('.'));
        all.ShouldAllBe(instrument => (instrument.Type == "counter") == instrument.Name.EndsWith("_total", StringComparison.Ordinal));
    }

    private static string Show(Instrument instrument) => new PrometheusText().Add(instrument).ToString();
}
