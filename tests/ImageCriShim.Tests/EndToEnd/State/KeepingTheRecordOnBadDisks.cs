using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Relay;
using static ImageCriShim.Tests.Rewriting.PullRecordTests;

namespace ImageCriShim.Tests.EndToEnd.State;

[Trait("suite", "endtoend")]
public sealed class KeepingTheRecordOnBadDisks
{
    private readonly CapturingLog log = new();

    [Fact]
    public void On_a_full_disk_the_last_record_that_found_room_stays_whole_and_there_is_one_warning()
    {
        using var disk = Disk.OfSize(kilobytes: 64);
        var file = FileIn(disk.Path);
        var (kept, tried) = (0, 0);
        for (var isSaved = true; isSaved; tried++)
            if (isSaved = file.TrySave(Pulls(100 * tried)))
                kept = 100 * tried;

        tried.ShouldBeInRange(2, 20);
        file.TrySave(Pulls(100 * tried)).ShouldBeFalse();
        FileIn(disk.Path).Load()!.Count.ShouldBe(kept);
        Directory.GetFiles(disk.Path).Length.ShouldBe(1); // what did not find room takes none
        log.Complaints.ShouldHaveSingleItem().ShouldContain($"the state directory {disk.Path} cannot be used: the disk is full, or this process's share of it");

        // A process that another test starts just now has inherited the file that was deleted, until it becomes its program.
        SpinWait.SpinUntil(() => file.TrySave(Pulls(1)), Fakes.RawConnection.Patience).ShouldBeTrue();
        log.Lines.Last().ShouldContain("can be used again");
    }

    [Fact]
    public void On_a_read_only_disk_the_record_is_read_and_there_is_one_warning_until_it_can_be_written()
    {
        using var disk = Disk.OfSize(kilobytes: 1024);
        FileIn(disk.Path).TrySave(Pulls(3)).ShouldBeTrue();
        disk.MakeReadOnly();
        using (var state = NodeState.Open(disk.Path, log, Fakes.RawConnection.Patience))
        {
            state.Pulls.All.Count.ShouldBe(3);
            state.Pulls.Add(Pull("another"));
            state.Missing.Note(new Decision("missing:1", DecisionKind.AsGiven, [], [], "", false), DateTimeOffset.UnixEpoch);
            SpinWait.SpinUntil(() => log.Complaints.Any(), Fakes.RawConnection.Patience).ShouldBeTrue();
            state.Pulls.Add(Pull("one more"));
            disk.MakeWritable();
            state.Pulls.Add(Pull("the last"));
        }

        log.Complaints.ShouldHaveSingleItem().ShouldContain("cannot be used: its file system is read-only");
        FileIn(disk.Path).Load()!.Count.ShouldBe(6);
    }

    [Fact]
    public void A_broken_record_on_a_read_only_disk_is_no_reason_to_stop()
    {
        using var disk = Disk.OfSize(kilobytes: 1024);
        File.WriteAllText(Path.Combine(disk.Path, "pulls.json"), "torn");
        disk.MakeReadOnly();
        using (var state = NodeState.Open(disk.Path, log, Fakes.RawConnection.Patience))
            state.Pulls.All.ShouldBeEmpty();
        log.Complaints.ShouldHaveSingleItem().ShouldContain("its file system is read-only");
    }

    [Fact]
    public void A_record_of_another_user_is_not_believed_and_a_directory_of_his_is_told_of()
    {
        using var disk = Disk.OfSize(kilobytes: 1024);
        FileIn(disk.Path).TrySave(Pulls(3)).ShouldBeTrue();
        Disk.Run("chown", "-R", "1234", disk.Path);
        Disk.Run("chmod", "0700", disk.Path);
        using (var state = NodeState.Open(disk.Path, log, Fakes.RawConnection.Patience))
            state.Pulls.All.ShouldBeEmpty();

        log.Complaints.Count().ShouldBe(2);
        log.Complaints.First().ShouldContain($"the state directory {disk.Path} belongs to user 1234");
        log.Complaints.Last().ShouldContain("cannot be used: it belongs to user 1234");
    }

    private StateFile<RecordedPull> FileIn(string directory) => new(StateJson.Pulls, new StateDirectory(directory, log), log);

    private static IEnumerable<RecordedPull> Pulls(int count) => Enumerable.Range(0, count).Select(i => Pull($"app:{i}"));
}
