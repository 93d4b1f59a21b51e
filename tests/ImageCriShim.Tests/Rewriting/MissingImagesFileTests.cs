using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using static ImageCriShim.Tests.Rewriting.MissingImagesTests;

namespace ImageCriShim.Tests.Rewriting;

public sealed class MissingImagesFileTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TempDirectory files = new();
    private readonly CapturingLog log = new();

    private string State => files.File("state");

    private string Path => System.IO.Path.Combine(State, "missing.json");

    public void Dispose() => files.Dispose();

    [Fact]
    public void What_was_missed_is_there_after_a_restart()
    {
        using (var before = NodeState.Open(State, log, RawConnection.Patience))
        {
            before.Missing.Note(Nowhere("app:1", new ProbeResult.Missing(), new ProbeResult.Missing()), s_start);
            before.Missing.Note(Nowhere("app:1", new ProbeResult.Missing(), new ProbeResult.Missing()), s_start.AddHours(1));
            before.Missing.Note(Nowhere("quay.io/ö", new ProbeResult.Missing()), s_start);
        }

        using var after = NodeState.Open(State, log, RawConnection.Patience);
        var image = after.Missing.All.ShouldHaveSingleItem();
        (image.Image, image.First, image.Last).ShouldBe(("docker.io/library/app:1", s_start, s_start.AddHours(1)));
        image.Asked.ShouldBe(["hub0/app:1", "hub1/app:1"]);
        after.IsNew.ShouldBeTrue(); // that is about pulls
        File.GetUnixFileMode(Path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        log.Complaints.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "it is not JSON")]
    [InlineData("[]", "it does not hold what it should")]
    [InlineData("""{"version":1,"pulls":[]}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"missing":[{"image":"a"}]}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"missing":[{"image":"a","first":"2026-01-01T00:00:00Z","last":"2026-01-01T00:00:00Z","asked":[null]}]}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"missing":[{"image":"a","first":"yesterday","last":"2026-01-01T00:00:00Z","asked":[]}]}""", "it does not hold what it should")]
    [InlineData("""{"version":2,"missing":[]}""", "it is of another release")]
    public void What_cannot_be_used_is_set_aside_and_the_record_of_pulls_is_not_touched(string content, string reason)
    {
        Directory.CreateDirectory(State);
        File.WriteAllText(Path, content);
        using (var state = NodeState.Open(State, log, RawConnection.Patience))
        {
            state.Missing.All.ShouldBeEmpty();
            state.Pulls.Add(PullRecordTests.Pull("nginx"));
            state.Missing.Note(Nowhere("app:1", new ProbeResult.Missing()), s_start);
        }

        File.ReadAllText(Path + ".unusable").ShouldBe(content);
        log.Complaints.ShouldHaveSingleItem()
            .ShouldContain($"the list of missing images, {Path}, cannot be used: {reason}. It is now {Path}.unusable, and a new one is begun");
        using var after = NodeState.Open(State, log, RawConnection.Patience);
        (after.Missing.All.Count, after.Pulls.All.Count, after.IsNew).ShouldBe((1, 1, false));
    }

    [Fact]
    public void No_mutation_of_a_file_makes_reading_throw()
    {
        var whole = StateJson.Missing.Write(
            [new MissingImage("docker.io/library/app:1", s_start, DateTimeOffset.MaxValue, ["hub/app:1", "\"<ö>\"\n"]), new MissingImage("a", s_start, s_start, [])]).ToArray();
        StateJson.Missing.TryRead(whole, out _)!.Count.ShouldBe(2);
        var random = new Random(20260101);
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = whole.ToList();
            for (var times = random.Next(1, 4); times > 0; times--)
                Mutate(mutated, random);
            var read = StateJson.Missing.TryRead(mutated.ToArray(), out var problem);
            (read is null).ShouldBe(problem.Length > 0, Encoding.UTF8.GetString([.. mutated]));
            if (read is not null)
                _ = new MissingImages(read).All;
        }
    }

    [Fact]
    public void A_file_that_is_torn_at_any_octet_is_recognised()
    {
        var whole = StateJson.Missing.Write([new MissingImage("a", s_start, s_start, ["b"])]);
        for (var octets = 0; octets < whole.Length; octets++)
            StateJson.Missing.TryRead(whole[..octets], out _).ShouldBeNull();
    }

    private static void Mutate(List<byte> text, Random random)
    {
        var at = random.Next(text.Count);
        switch (random.Next(4))
        {
            case 0:
                text[at] = (byte)random.Next(256);
                break;
            case 1:
                text.RemoveRange(at, random.Next(Math.Min(20, text.Count - at)));
                break;
            case 2:
                text.InsertRange(at, text.GetRange(0, random.Next(at + 1)));
                break;
            default:
                text.InsertRange(at, Encoding.UTF8.GetBytes(new[] { "\\ud800", "null", "1e999", "{\"", "[[[[", "true", "," }[random.Next(7)]));
                break;
        }
    }
}
