namespace ImageCriShim.Tests.Faults;

public sealed class SeriesTests
{
    [Fact]
    public void What_grows_steadily_grows_and_is_no_noise()
    {
        var series = Of(Enumerable.Range(0, 100).Select(i => 10 + i * 0.5));
        series.Growth.ShouldBe(49.5, 1e-9);
        series.Noise.ShouldBe(0, 1e-9);
    }

    [Fact]
    public void What_goes_up_and_down_does_not_grow()
    {
        var series = Of(Enumerable.Range(0, 1000).Select(i => i % 2 == 0 ? 9.0 : 11.0));
        Math.Abs(series.Growth).ShouldBeLessThan(0.1);
        series.Noise.ShouldBe(1, 0.01);
    }

    [Fact]
    public void A_chart_has_at_most_a_terminals_width() => Of(Enumerable.Range(0, 3600).Select(i => (double)i)).Chart()[0].Length.ShouldBeLessThanOrEqualTo(90);

    private static Series Of(IEnumerable<double> values)
    {
        var series = new Series("x");
        foreach (var value in values)
            series.Add(value);
        return series;
    }
}
