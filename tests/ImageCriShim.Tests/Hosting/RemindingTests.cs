using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

public sealed class RemindingTests
{
    [Fact]
    public void What_keeps_failing_open_is_said_in_full_every_minute()
    {
        var (time, log) = (new FakeTime(), new CapturingLog());
        var failOpen = new FailOpen(["address: missing", "timeout: soon"], log);
        failOpen.Say();
        log.Complaints.Count().ShouldBe(3);
        using (new Reminder(failOpen.Say, time))
        {
            time.Advance(TimeSpan.FromSeconds(59));
            log.Complaints.Count().ShouldBe(3);
            time.Advance(TimeSpan.FromMinutes(2));
            log.Complaints.Count().ShouldBe(9);
        }

        time.Advance(TimeSpan.FromMinutes(5));
        log.Complaints.Count().ShouldBe(9);
        log.Complaints.TakeLast(3).ShouldBe(["address: missing ", "timeout: soon ", log.Complaints.Last()]);
        failOpen.Summary.ShouldBe("FAIL OPEN, nothing is rewritten: address: missing and 1 more");
    }
}
