using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>What the record of pulls is good for while the registries are up.</summary>
public sealed class RememberingPulls : PullTest
{
    public RememberingPulls() => Prepare();

    [Fact]
    public async Task A_pull_is_recorded_with_where_it_came_from()
    {
        var digest = First.Add("team/app", "1.0");
        CanPull(Image(First.Host));
        await Start();
        var id = await PullRef(Image());
        Record.All.ShouldBe([new RecordedPull(Image(), Image(First.Host), First.Host, id, Time.GetUtcNow(), PulledWith.Nothing, digest)]);
    }

    [Fact]
    public async Task A_pull_as_given_too_and_a_failed_one_not()
    {
        Expect("pull of ");
        Expect("not pulled ");
        await Start();
        (await Pull(Image())).Status.ShouldBe(5);
        Record.All.ShouldBeEmpty();
        CanPull(Image());
        await PullRef(Image());
        Record.All.ShouldHaveSingleItem().Actual.ShouldBe(Image());
    }

    [Fact]
    public async Task A_tag_that_has_moved_since_the_registry_was_asked_is_recorded_with_what_came()
    {
        First.Add("team/app", "1.0");
        await Start();
        CanPull(Image(First.Host));
        await PullRef(Image());
        Runtime.Images.Contents[Image(First.Host)] = "moved";

        await PullRef(Image());

        var pulled = Record.All.ShouldHaveSingleItem();
        var now = Runtime.Images.Find(Image(First.Host))!;
        (pulled.ImageRef, pulled.Digest).ShouldBe((now.Id, now.Digests[0].Split('@')[1]));
        First.CountOf("team/app").ShouldBe(1);
    }

    [Fact]
    public async Task An_image_is_found_by_the_name_that_it_was_pulled_by()
    {
        await Start();
        var image = Runtime.Images.Add("elsewhere.local/team/app:1.0");
        (await FindId(Image())).ShouldBe("");
        Record.Add(new RecordedPull(Image(), "elsewhere.local/team/app:1.0", "elsewhere.local", image.Id, Time.GetUtcNow(), PulledWith.Callers));
        (await FindId(Image())).ShouldBe(image.Id);
    }

    [Fact]
    public async Task What_the_runtime_has_as_given_comes_first_and_then_what_was_pulled()
    {
        await Start();
        var names = new[] { Image(), "elsewhere.local/team/app:1.0", Image(First.Host), Image(Second.Host) };
        var ids = names.Select(name => Runtime.Images.Add(name).Id).ToArray();
        Record.Add(new RecordedPull(Image(), names[1], "elsewhere.local", ids[1], Time.GetUtcNow(), PulledWith.Nothing));
        foreach (var (name, id) in names.Zip(ids))
        {
            (await FindId(Image())).ShouldBe(id);
            Runtime.Images.Remove(Runtime.Images.Find(name)!);
        }

        (await FindId(Image())).ShouldBe("");
        (First.Connections, Second.Connections).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData("given")]
    [InlineData("actual")]
    [InlineData("id")]
    [InlineData("short")]
    public async Task An_image_that_is_removed_is_forgotten(string by)
    {
        await Start();
        var actual = "elsewhere.local/team/app:1.0";
        var image = Runtime.Images.Add(actual);
        Record.Add(new RecordedPull(Image(), actual, "elsewhere.local", image.Id, Time.GetUtcNow(), PulledWith.Nothing));
        Record.Add(new RecordedPull(Image(tail: ":other"), actual, "elsewhere.local", "sha256:other", Time.GetUtcNow(), PulledWith.Nothing));
        Record.Add(new RecordedPull("unrelated:1", "unrelated:1", "docker.io", "sha256:unrelated", Time.GetUtcNow(), PulledWith.Nothing));

        await Remove(by switch { "given" => Image(), "actual" => actual, "id" => image.Id, _ => image.Id["sha256:".Length..][..12] });

        Runtime.Images.All.ShouldBeEmpty();
        Record.Find(Image()).ShouldBeNull();
        Record.Find("unrelated:1").ShouldNotBeNull();
    }

    [Fact]
    public async Task An_image_that_could_not_be_removed_is_not_forgotten()
    {
        await Start();
        var image = Runtime.Images.Add(Image(First.Host));
        Record.Add(new RecordedPull(Image(), Image(First.Host), First.Host, image.Id, Time.GetUtcNow(), PulledWith.Nothing));
        Runtime.On(ImageService + "RemoveImage", call =>
        {
            call.Fail(2, "it is in use");
            return Task.CompletedTask;
        });
        foreach (var name in new[] { Image(), image.Id })
            (await Caller.CallAsync(ImageService + "RemoveImage", Field(1, Field(1, name)))).Message.ShouldBe("it is in use");
        Record.Find(Image()).ShouldNotBeNull();
    }
}
