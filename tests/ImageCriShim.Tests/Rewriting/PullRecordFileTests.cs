using System.Text;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using static ImageCriShim.Tests.Rewriting.PullRecordTests;

namespace ImageCriShim.Tests.Rewriting;

public sealed class PullRecordFileTests : IDisposable
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string[] s_words = ["\\ud800", "null", "1e999", "{\"", "[[[[[[", "true"];

    private readonly TempDirectory files = new();
    private readonly CapturingLog log = new();

    private string State => files.File("state");

    private string Path => System.IO.Path.Combine(State, "pulls.json");

    public void Dispose() => files.Dispose();

    [Fact]
    public void What_was_recorded_is_there_after_a_restart()
    {
        var pulls = new[]
        {
            Pull("nginx", with: PulledWith.Nothing), Pull("redis", with: PulledWith.NodesOwn), Pull("\"<ö>\"\n", with: PulledWith.Callers),
        };
        using (var before = Open())
            foreach (var pull in pulls)
                before.Pulls.Add(pull);
        using var after = Open();
        after.Pulls.All.ShouldBe(pulls);
        log.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_owner_may_read_it()
    {
        using (var keeper = Open())
            keeper.Pulls.Add(Pull("nginx"));
        File.GetUnixFileMode(State).ShouldBe(OwnersOnly | UnixFileMode.UserExecute);
        File.GetUnixFileMode(Path).ShouldBe(OwnersOnly);
        Directory.GetFiles(State).ShouldBe([Path]);
    }

    [Fact]
    public void Many_changes_at_once_are_all_there_at_the_end()
    {
        using (var keeper = Open())
            Parallel.For(0, 500, i => keeper.Pulls.Add(Pull($"app:{i}")));
        using var after = Open();
        after.Pulls.All.Count.ShouldBe(500);
    }

    [Theory]
    [InlineData("", "it is not JSON")]
    [InlineData("garbage", "it is not JSON")]
    [InlineData("[]", "it does not hold what it should")]
    [InlineData("""{"version":1}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"pulls":[{"given":"nginx"}]}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"pulls":[{"given":"\ud800","actual":"a","registry":"r","ref":"i","at":"2026-01-01T00:00:00Z","with":"node"}]}""", "it does not hold what it should")]
    [InlineData("""{"version":1,"pulls":[{"given":"a","actual":"a","registry":"r","ref":"i","at":"2026-01-01T00:00:00Z","with":"nobody"}]}""", "it does not hold what it should")]
    [InlineData("""{"version":2,"pulls":[]}""", "it is of another release")]
    public void What_cannot_be_used_is_set_aside_and_a_new_record_is_begun(string content, string reason)
    {
        Write(content);
        using (var keeper = Open())
        {
            keeper.Pulls.All.ShouldBeEmpty();
            keeper.Pulls.Add(Pull("nginx"));
        }

        File.ReadAllText(Path + ".unusable").ShouldBe(content);
        log.Complaints.ShouldHaveSingleItem().ShouldContain($"cannot be used: {reason}. It is now {Path}.unusable, and a new one is begun");
        using var after = Open();
        after.Pulls.All.Count.ShouldBe(1);
    }

    [Fact]
    public void What_is_far_too_large_is_not_even_read()
    {
        Write("");
        using (var file = File.OpenWrite(Path))
            file.SetLength(16 * 1024 * 1024 + 1);
        using var keeper = Open();
        log.Complaints.ShouldHaveSingleItem().ShouldContain("larger than 16 MiB");
    }

    [Fact]
    public void A_later_release_may_add_to_it()
    {
        Write("""{"version":1,"more":{},"pulls":[{"more":1,"given":"a","actual":"b","registry":"r","ref":"i","at":"2026-01-01T00:00:00Z","with":"node"}]}""");
        using var keeper = Open();
        keeper.Pulls.Find("a")!.Actual.ShouldBe("b");
        log.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void A_process_that_is_killed_at_any_octet_of_writing_leaves_the_record_as_it_was()
    {
        Save(Pull("nginx"));
        var next = StateJson.Pulls.Write([Pull("nginx"), Pull("redis")]).ToArray();
        for (var octets = 0; octets <= next.Length; octets++)
        {
            File.WriteAllBytes($"{Path}.{octets}.new", next[..octets]);
            PullFile().Load().ShouldBe([Pull("nginx")]);
            Directory.GetFiles(State).ShouldBe([Path]); // what the killed one left is removed
        }

        Save(Pull("redis"));
        PullFile().Load().ShouldBe([Pull("redis")]);
        log.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_is_torn_at_any_octet_is_recognised()
    {
        var whole = StateJson.Pulls.Write([Pull("nginx"), Pull("redis")]);
        StateJson.Pulls.TryRead(whole, out _)!.Count.ShouldBe(2);
        for (var octets = 0; octets < whole.Length; octets++)
            StateJson.Pulls.TryRead(whole[..octets], out _).ShouldBeNull();
    }

    [Fact]
    public void No_mutation_of_a_file_makes_reading_throw()
    {
        var whole = StateJson.Pulls.Write([Pull("nginx"), Pull("redis", at: DateTimeOffset.MaxValue)]).ToArray();
        var random = new Random(20260101);
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = Mutate(whole, random);
            var read = StateJson.Pulls.TryRead(mutated, out var problem);
            (read is null).ShouldBe(problem.Length > 0, Encoding.UTF8.GetString(mutated));
            if (read is not null)
                _ = new PullRecord(read).All;
        }
    }

    [Fact]
    public void Where_nothing_can_be_written_there_is_one_warning_until_it_works_again()
    {
        File.WriteAllText(State, "a file where the directory should be");
        using (var keeper = Open())
        {
            keeper.Pulls.Add(Pull("nginx"));
            keeper.Pulls.Find("nginx").ShouldNotBeNull();
        }

        log.Complaints.ShouldHaveSingleItem().ShouldContain("cannot be used: it is a file; name a directory (image)");
    }

    [Fact]
    public void A_disk_that_is_mended_is_written_to_and_one_that_fails_again_is_told_of_again()
    {
        var file = PullFile();
        file.Load();
        Directory.Delete(State);
        file.TrySave([]).ShouldBeFalse();
        file.TrySave([]).ShouldBeFalse();
        log.Complaints.Count().ShouldBe(1);
        Directory.CreateDirectory(State);
        file.TrySave([Pull("nginx")]).ShouldBeTrue();
        log.Lines.Last().ShouldStartWith("1402 ");
        Directory.Delete(State, recursive: true);
        file.TrySave([]).ShouldBeFalse();
        log.Complaints.Count().ShouldBe(2);
    }

    [Fact]
    public void While_nothing_can_be_written_it_is_tried_and_said_again_when_asked_for()
    {
        using var keeper = Open();
        keeper.Remind();
        Directory.Delete(State);
        keeper.Pulls.Add(Pull("nginx"));
        for (var said = 1; said <= 3; said++)
        {
            SpinWait.SpinUntil(() => log.Complaints.Count() == said, RawConnection.Patience).ShouldBeTrue($"{said} times");
            keeper.Remind();
        }

        SpinWait.SpinUntil(() => log.Complaints.Count() == 4, RawConnection.Patience).ShouldBeTrue();
        Directory.CreateDirectory(State);
        keeper.Remind();
        SpinWait.SpinUntil(() => log.Lines.Last().StartsWith("1402 ", StringComparison.Ordinal) && File.Exists(Path), RawConnection.Patience).ShouldBeTrue();
        var complaints = log.Complaints.Count(); // one more where a try that began before the directory was there ended behind the reminder
        keeper.Remind();
        log.Complaints.Count().ShouldBe(complaints);
    }

    [Fact]
    public void Who_asks_for_another_try_while_one_fails_gets_it()
    {
        var tries = 0;
        StateKeeper<RecordedPull> keeper = null!;
        keeper = new(PullFile(), Current, Task.CompletedTask); // its directory is not there
        keeper.WriteSoon();
        SpinWait.SpinUntil(() => File.Exists(Path), RawConnection.Patience).ShouldBeTrue();
        tries.ShouldBe(2);

        IReadOnlyList<RecordedPull> Current()
        {
            if (++tries == 1)
                keeper.Retry();
            else
                Directory.CreateDirectory(State);
            return [];
        }
    }

    [Fact]
    public async Task What_comes_after_another_process_keeps_the_file_is_not_written_even_if_a_write_is_under_way()
    {
        Directory.CreateDirectory(State);
        using var goOn = new ManualResetEventSlim();
        List<string> all = ["one"];
        var keeper = Keep(() => all.ConvertAll(name => Pull(name)), goOn);
        keeper.WriteSoon(); // and waits
        all = ["one", "two"];
        keeper.WriteSoon();
        var isWritten = keeper.Freeze();
        goOn.Set();
        (await isWritten.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldBeTrue();
        all = ["one", "two", "three"];
        keeper.WriteSoon();
        await keeper.Flush();
        PullFile().Load()!.Count.ShouldBe(2);
        keeper.Resume();
        await keeper.Flush();
        PullFile().Load()!.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_write_that_a_disk_has_held_up_replaces_nothing_when_another_process_keeps_the_file()
    {
        Save(Pull("others"));
        using var goOn = new ManualResetEventSlim();
        var keeper = Keep(() => [Pull("ours"), Pull("ours:2")], goOn);
        keeper.WriteSoon();
        var isWritten = keeper.Freeze();
        keeper.LeaveToOthers();
        goOn.Set();
        (await isWritten.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldBeFalse();
        PullFile().Load()!.Single().Given.ShouldBe("others");
        Directory.GetFiles(State).ShouldBe([Path]);
        log.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void What_the_disk_has_not_taken_when_another_process_keeps_the_files_is_news_for_it_in_parts()
    {
        using var state = Open();
        state.Freeze();
        state.News.IsEmpty.ShouldBeTrue();
        string[] files = [Path, System.IO.Path.Combine(State, "missing.json")];
        Array.ForEach(files, File.Delete);
        state.Resume();
        SpinWait.SpinUntil(() => files.All(File.Exists), RawConnection.Patience).ShouldBeTrue("they have been read, and are written again");
        Directory.Delete(State, recursive: true);
        for (var number = 1; number <= 250; number++)
            state.Pulls.Add(Pull($"image:{number}"));
        state.Freeze();
        using var other = NodeState.Open(State + ".other", log, RawConnection.Patience);
        var messages = 0;
        for (; state.News is { IsEmpty: false } news; messages++)
        {
            other.TryAddPulls(news.FormatPulls()).ShouldBeTrue();
            state.Acknowledge(news);
        }

        messages.ShouldBe(3);
        other.Pulls.All.Count.ShouldBe(250);
    }

    [Fact]
    public void News_of_an_older_pull_do_not_replace_a_younger_one()
    {
        using var state = Open();
        var now = DateTimeOffset.UnixEpoch.AddDays(1);
        state.Pulls.Add(Pull("nginx", at: now));
        state.TryAddPulls(StateJson.Pulls.Write([Pull("nginx", at: now.AddSeconds(-1)), Pull("redis", at: now)])).ShouldBeTrue();
        state.Pulls.Find("nginx")!.At.ShouldBe(now);
        state.TryAddPulls(StateJson.Pulls.Write([Pull("nginx", at: now.AddSeconds(1))])).ShouldBeTrue();
        state.Pulls.Find("nginx")!.At.ShouldBe(now.AddSeconds(1));
        state.Pulls.All.Count.ShouldBe(2);
    }

    [Fact]
    public void What_could_not_be_written_is_tried_once_more_at_the_end()
    {
        using (var keeper = Open())
        {
            Directory.Delete(State);
            keeper.Pulls.Add(Pull("nginx"));
            SpinWait.SpinUntil(() => log.Complaints.Any(), RawConnection.Patience).ShouldBeTrue();
            Directory.CreateDirectory(State);
        }

        PullFile().Load()!.Count.ShouldBe(1);
    }

    [Fact]
    public void What_another_process_is_writing_is_left_to_it()
    {
        Save(Pull("nginx"));
        using (new FileStream(Path + ".other.new", FileMode.CreateNew, FileAccess.Write))
            PullFile().Load();
        File.Exists(Path + ".other.new").ShouldBeTrue();
        PullFile().Load();
        File.Exists(Path + ".other.new").ShouldBeFalse();
    }

    [Fact]
    public async Task Two_that_write_at_the_same_time_leave_a_whole_file_at_every_moment_and_nothing_else()
    {
        Save(Pull("nginx"));
        var writing = Enumerable.Range(0, 2).Select(writer => Task.Run(() =>
        {
            var mine = PullFile();
            for (var round = 1; round <= 200; round++)
                mine.TrySave(Enumerable.Range(0, round).Select(i => Pull($"writer{writer}:{i}"))).ShouldBeTrue();
        })).ToArray();
        var reading = Task.WhenAll(writing);
        while (!reading.IsCompleted)
        {
            var seen = PullFile().TryRead(out var problem);
            problem.ShouldBeNullOrEmpty();
            seen!.Select(pull => pull.Given.Split(':')[0]).Distinct().Count().ShouldBe(1); // one writer's, never mixed
        }

        await reading;
        PullFile().Load()!.Count.ShouldBe(200);
        Directory.GetFiles(State).ShouldBe([Path]);
        log.Complaints.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(UnixFileMode.OtherWrite, "it may be written by others (mode 602)")]
    [InlineData(UnixFileMode.GroupWrite, "it may be written by others (mode 620)")]
    public void A_file_that_others_may_write_is_not_believed(UnixFileMode more, string reason)
    {
        Save(Pull("nginx"));
        File.SetUnixFileMode(Path, OwnersOnly | more);
        using (var keeper = Open())
        {
            keeper.Pulls.All.ShouldBeEmpty();
            keeper.Pulls.Add(Pull("redis"));
        }

        log.Complaints.ShouldHaveSingleItem().ShouldContain($"cannot be used: {reason}");
        File.GetUnixFileMode(Path).ShouldBe(OwnersOnly);
        PullFile().Load()!.Count.ShouldBe(1);
    }

    [Fact]
    public void A_file_that_others_may_only_read_is_believed()
    {
        Save(Pull("nginx"));
        File.SetUnixFileMode(Path, OwnersOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        PullFile().Load()!.Count.ShouldBe(1);
        log.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public void A_directory_that_others_may_write_to_is_told_of_once_with_what_to_do()
    {
        Save(Pull("nginx"));
        File.SetUnixFileMode(State, (UnixFileMode)0b111_111_111);
        using var keeper = Open(); // two files
        keeper.Pulls.All.Count.ShouldBe(1);
        log.Complaints.ShouldHaveSingleItem().ShouldContain("may be written by others (mode 777): whoever it is can make image-cri-shim forget; give it to this process's user, with mode 0700");
    }

    private StateFile<RecordedPull> PullFile() => new(StateJson.Pulls, new StateDirectory(State, log), log);

    /// <summary>Waits before each write, when it has been begun.</summary>
    private StateKeeper<RecordedPull> Keep(Func<IReadOnlyList<RecordedPull>> current, ManualResetEventSlim goOn) =>
        new(
            PullFile(),
            () =>
            {
                var now = current();
                goOn.Wait(RawConnection.Patience).ShouldBeTrue();
                return now;
            },
            Task.CompletedTask);

    private NodeState Open() => NodeState.Open(State, log, RawConnection.Patience);

    private void Save(params RecordedPull[] pulls)
    {
        Directory.CreateDirectory(State);
        PullFile().TrySave(pulls).ShouldBeTrue();
    }

    private void Write(string content)
    {
        Directory.CreateDirectory(State);
        File.WriteAllText(Path, content);
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var mutated = whole.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(mutated.Count);
            switch (random.Next(5))
            {
                case 0:
                    mutated[at] = (byte)random.Next(256);
                    break;
                case 1:
                    mutated.RemoveRange(at, random.Next(Math.Min(20, mutated.Count - at)));
                    break;
                case 2:
                    mutated.InsertRange(at, mutated.GetRange(0, random.Next(at + 1)));
                    break;
                case 3:
                    mutated.Insert(at, "{}[]\",:\\0-.eE"u8[random.Next(13)]);
                    break;
                default:
                    mutated.InsertRange(at, Encoding.UTF8.GetBytes(s_words[random.Next(s_words.Length)]));
                    break;
            }
        }

        return [.. mutated];
    }
}
