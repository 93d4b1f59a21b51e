using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Hosting;

/// <summary>A caller that provokes a line with each of its calls does not fill the disk.</summary>
public sealed class LogRateTests : IDisposable
{
    private static readonly EventId s_provoked = new(1103, "NotPulled");
    private static readonly EventId s_other = new(1101, "Pulled");
    private static readonly EventId s_ofTheStart = new(1206, "StartFailed");

    private readonly FakeTime time = new();
    private readonly StringWriter written = new();
    private readonly StderrLogger log;

    public LogRateTests() => log = new StderrLogger(LogFormat.Text, LogLevel.Information, time, written, underJournald: false);

    public void Dispose() => log.Dispose();

    private string[] Lines
    {
        get
        {
            log.Flush();
            return [.. written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[25..])];
        }
    }

    [Fact]
    public void Of_one_event_a_burst_is_written_and_the_rest_is_counted_and_told_of()
    {
        Write(s_provoked, LogRate.Burst + 1000);
        Lines.Length.ShouldBe(LogRate.Burst);
        time.Advance(LogRate.TellInterval);
        Lines.Length.ShouldBe(LogRate.Burst + 1);
        Lines[^1].ShouldBe("warning 1000 lines of event 1103 (NotPulled) were left out: of one kind no more than 500 are written at once and 10 a second");
    }

    [Fact]
    public void After_a_burst_so_many_a_second_are_written_and_the_rest_is_told_of_every_10_seconds()
    {
        Write(s_provoked, LogRate.Burst);
        for (var seconds = 1; seconds <= 60; seconds++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Write(s_provoked, 100);
        }

        Lines.Count(line => line == "error line").ShouldBe(LogRate.Burst + 60 * LogRate.PerSecond);
        Lines.Count(line => line.Contains("left out")).ShouldBe(5);
        time.Advance(LogRate.TellInterval);
        Lines.Where(line => line.Contains("left out")).Sum(line => int.Parse(line.Split(' ')[1])).ShouldBe(60 * (100 - LogRate.PerSecond));
    }

    [Fact]
    public void One_event_takes_nothing_from_another()
    {
        Write(s_provoked, 10_000);
        Write(s_other, 3);
        Lines.Length.ShouldBe(LogRate.Burst + 3);
    }

    [Fact]
    public void What_is_said_about_the_process_itself_is_never_left_out()
    {
        Write(s_ofTheStart, 10_000);
        Lines.Length.ShouldBe(10_000);
        time.Waiting.ShouldBe(0);
    }

    [Fact]
    public void A_quiet_event_may_burst_again_and_nothing_is_told_of()
    {
        for (var round = 0; round < 3; round++)
        {
            Write(s_provoked, LogRate.Burst);
            time.Advance(TimeSpan.FromSeconds(LogRate.Burst / LogRate.PerSecond));
        }

        Lines.Length.ShouldBe(3 * LogRate.Burst);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_line_of_megabytes_is_cut(bool isJson)
    {
        var format = isJson ? LogFormat.Json : LogFormat.Text;
        var text = new string('x', 1_000_000);
        using var cut = new StderrLogger(format, LogLevel.Information, time, written, underJournald: false);
        cut.Log(LogLevel.Error, s_other, new[] { new KeyValuePair<string, object?>("Image", text) }, null, (_, _) => text);
        cut.Flush();
        written.ToString().Length.ShouldBeLessThan(3 * StderrLogger.MaxChars);
        written.ToString().ShouldContain("x ... (1000000 characters)");
    }

    [Fact]
    public void Many_threads_at_once_lose_no_line_from_the_count()
    {
        Parallel.For(0, 8, _ => Write(s_provoked, 1000));
        time.Advance(LogRate.TellInterval);
        Lines.Count(line => line == "error line").ShouldBe(LogRate.Burst);
        Lines[^1].ShouldStartWith($"warning {8000 - LogRate.Burst} lines");
    }

    private void Write(EventId id, int times)
    {
        for (var i = 0; i < times; i++)
            log.Log(LogLevel.Error, id, "line", null, (state, _) => state);
    }
}
