using ImageCriShim.Registries;

namespace ImageCriShim.Tests.Registries;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("1h30m", 5400_000)]
    [InlineData("300ms", 300)]
    [InlineData("1.5s", 1500)]
    [InlineData(".5s", 500)]
    [InlineData("2m3s4ms", 123_004)]
    [InlineData("0", 0)]
    [InlineData("+5s", 5000)]
    [InlineData("-5s", -5000)]
    [InlineData("1000000ns", 1)]
    [InlineData("2000us", 2)]
    [InlineData("2000µs", 2)]
    public void Durations_read_as_Go_reads_them(string text, double milliseconds)
    {
        GoDuration.TryParse(text, out var duration).ShouldBeTrue();
        duration.TotalMilliseconds.ShouldBe(milliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("5 s")]
    [InlineData("5d")]
    [InlineData("5s5")]
    [InlineData("1..5s")]
    [InlineData(".s")]
    [InlineData("1e3s")]
    [InlineData("99999999h")]
    [InlineData("99999999999999999999999999999999h")]
    public void What_Go_refuses_or_nobody_can_mean_is_refused(string text) => GoDuration.TryParse(text, out _).ShouldBeFalse();
}
