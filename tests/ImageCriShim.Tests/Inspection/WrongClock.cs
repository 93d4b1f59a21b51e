using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

public sealed class WrongClock : NodeTest
{
    [Fact]
    public async Task By_an_hour()
    {
        TellTime(TimeSpan.FromHours(1));
        (await Node.Complaints()).ShouldBe("""
            problem  clock: this node's clock is 1h behind that of hub.corp:5000
                     - run: timedatectl set-ntp true
                     - run: chronyc makestep

            1 to mend

            """);
        TellTime(TimeSpan.Zero);
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Of_one_registry_among_others()
    {
        await using var other = FakeRegistry.Start();
        other.Behave = _ => Answer(TimeSpan.Zero);
        TellTime(TimeSpan.FromMinutes(-90));
        Node.Configure($"address: http://{PreparedNode.HubName}\nregistries:\n- address: {other.Address}\n");
        (await Node.Complaints()).ShouldBe("""
            problem  clock: the clock of hub.corp:5000 is 1h30m behind this node's and that of the other registries
                     - have whoever runs hub.corp:5000 set its clock

            1 to mend

            """);
    }

    [Fact]
    public async Task Four_minutes_are_nothing()
    {
        TellTime(TimeSpan.FromMinutes(4));
        Node.Print(await Node.Look()).ShouldContain("ok       clock: is that of the registries\n");
    }

    private void TellTime(TimeSpan ahead) => Node.Hub.Behave = _ => Answer(ahead);

    private static FakeAnswer Answer(TimeSpan ahead) => new(200) { Headers = { ["Date"] = PreparedNode.HttpDate(DateTimeOffset.UtcNow + ahead) } };
}
