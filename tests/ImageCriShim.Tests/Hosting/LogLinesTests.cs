using System.Text;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Standard error takes nothing for a while.</summary>
public sealed class LogLinesTests
{
    private const int Characters = 1000;
    private const int Room = LogLines.MaxWaiting / Characters;

    [Fact]
    public async Task What_finds_room_is_written_in_order_and_the_rest_is_counted_where_it_is_missing()
    {
        var output = new HangingWriter();
        using var log = new StderrLogger(LogFormat.Text, LogLevel.Information, new FakeTime(), output, underJournald: true);
        Write(log, 0);
        await Wait.For(output.Reached);
        for (var i = 1; i < Room + 100; i++)
            Write(log, i);

        output.Release();
        log.Flush();
        Write(log, Room + 100);
        log.Flush();

        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var kept = lines.Length - 2;
        kept.ShouldBeInRange(Room / 2, Room + Room / 10); // besides the line about them and the last
        lines.Take(kept).ShouldBe(Enumerable.Range(0, kept).Select(Text));
        lines[kept].ShouldStartWith($"<4>{Room + 100 - kept} lines were lost before this one: standard error took none for too long");
        lines[^1].ShouldBe(Text(Room + 100));
    }

    [Fact]
    public async Task Flushing_a_log_that_takes_nothing_ends()
    {
        var output = new HangingWriter();
        var log = new StderrLogger(LogFormat.Text, LogLevel.Information, new FakeTime(), output, underJournald: true);
        Write(log, 0);
        await Wait.For(output.Reached);
        await Wait.For(Task.Run(log.Dispose, TestContext.Current.CancellationToken));
        output.Release();
    }

    private static string Text(int i) => $"<3>{i} {new string('x', Characters - 10)}";

    // An event of the process itself, so that none is left out for its number.
    private static void Write(StderrLogger log, int i) => log.Log(LogLevel.Error, new EventId(1206), Text(i)[3..], null, (text, _) => text);

    private sealed class HangingWriter : StringWriter
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously); // not on the thread that then hangs
        private readonly ManualResetEventSlim _released = new();

        public Task Reached => _reached.Task;

        public override Encoding Encoding => Encoding.UTF8;

        public void Release() => _released.Set();

        public override void WriteLine(string? value)
        {
            _reached.TrySetResult();
            _released.Wait();
            base.WriteLine(value);
        }

        protected override void Dispose(bool disposing)
        {
            _released.Dispose();
            base.Dispose(disposing);
        }
    }
}
