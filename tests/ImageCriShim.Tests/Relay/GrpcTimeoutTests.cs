using ImageCriShim.Relay;

namespace ImageCriShim.Tests.Relay;

public sealed class GrpcTimeoutTests
{
    [Theory]
    [InlineData("1H", 3600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("30S", 30_000)]
    [InlineData("1500m", 1500)]
    [InlineData("2500u", 2.5)]
    [InlineData("1000000n", 1)]
    [InlineData("0S", 0)]
    [InlineData("99999999m", 99_999_999)]
    public void Every_unit_is_read(string text, double milliseconds) =>
        GrpcTimeout.Parse(text).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void The_longest_is_read() => GrpcTimeout.Parse("99999999H").ShouldBe(TimeSpan.FromHours(99_999_999));

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("5")]
    [InlineData("5s")]
    [InlineData("-5S")]
    [InlineData("+5S")]
    [InlineData(" 5S")]
    [InlineData("5 S")]
    [InlineData("5.0S")]
    [InlineData("0x5S")]
    [InlineData("123456789S")] // nine digits
    [InlineData("\u0665S")] // a digit, but none of ASCII
    public void What_is_malformed_is_no_deadline(string text) => GrpcTimeout.Parse(text).ShouldBeNull();

    [Theory]
    [InlineData(1500, "1500m")]
    [InlineData(99_999_999, "99999999m")]
    [InlineData(100_000_000, "100000S")]
    [InlineData(0, "1m")]
    [InlineData(-5, "1m")]
    [InlineData(0.4, "1m")]
    public void What_is_left_is_written(double milliseconds, string text) =>
        GrpcTimeout.Format(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(text);

    [Fact]
    public void The_longest_is_written() => GrpcTimeout.Format(TimeSpan.MaxValue).ShouldBe("99999999S");

    [Fact]
    public void Any_text_is_read_or_none()
    {
        var random = new Random(3);
        for (var i = 0; i < 100_000; i++)
            Should.NotThrow(() => GrpcTimeout.Parse(string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => "0123456789HMSmunx- "[random.Next(19)]))));
    }
}
