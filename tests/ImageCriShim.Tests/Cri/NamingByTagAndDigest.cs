using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary><c>name:tag@digest</c> and <c>name@digest</c> are one image: runtimes keep the digest, and the tag says nothing.</summary>
public sealed class NamingByTagAndDigest : OnEachRuntimeTest
{
    private static readonly string s_digest = Digest('d');

    [Theory, MemberData(nameof(Runtimes))]
    public async Task However_it_was_pulled_it_is_found_named_and_removed_in_either_way(string runtime)
    {
        await StartOn(runtime);
        string[] spellings = [$"nginx:1.25@{s_digest}", $"nginx@{s_digest}", $"{Nginx}:2@{s_digest}", $"{Nginx}@{s_digest}"];
        foreach (var (pulled, removed) in spellings.Zip(spellings.Reverse()))
        {
            var image = Pulled(pulled, AtFirst(pulled[(pulled.LastIndexOf('/') + 1)..]));
            foreach (var asked in spellings)
            {
                FindText(await Status(asked), 1).ShouldBe(image.Id, asked);
                NamesOf((await List(asked)).Single()).ShouldBe([Written($"{Nginx}@{s_digest}")], asked);
                NamesOf((await Stream(asked)).Single()).ShouldBe([Written($"{Nginx}@{s_digest}")], asked);
            }

            Record.All.Count.ShouldBe(1); // no look has lost it
            await Remove(removed);
            Runtime.Images.All.ShouldBeEmpty(removed);
            Record.All.ShouldBeEmpty(removed);
        }
    }

    [Fact]
    public void Two_pulls_of_it_are_one_entry_of_the_record()
    {
        var record = new PullRecord([]);
        foreach (var name in (string[])[$"nginx:1.25@{s_digest}", $"nginx@{s_digest}"])
            record.Add(new RecordedPull(name, $"hub.local/{name}", "hub.local", Digest('1'), Time.GetUtcNow(), PulledWith.Nothing));
        record.All.Single().Given.ShouldBe($"nginx@{s_digest}");
        record.Forget($"nginx:1@{s_digest}");
        record.All.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task While_everything_is_down_either_is_answered_with_the_image_that_the_other_brought(string runtime)
    {
        Expect("no registry can be reached: ");
        Runtime.Become(New(runtime));
        Runtime.Images.OnlyPulls["nothing"] = true;
        await Start([At($"http://{Down}")]);
        string[] tails = [$":1.0@{s_digest}", $"@{s_digest}"];
        foreach (var (pulled, asked) in new[] { (tails[0], tails[1]), (tails[1], tails[0]) })
        {
            var image = Runtime.Images.Add(Image(Down, pulled));
            var imageRef = runtime == Docker ? image.Digests[0] : image.Id;
            Record.Add(new RecordedPull(Image(tail: pulled), Image(Down, pulled), "down.local", imageRef, Time.GetUtcNow(), PulledWith.NodesOwn));

            (await PullRef(Image(tail: asked))).ShouldBe(imageRef);

            Runtime.Images.Clear();
            Record.Forget(Record.Snapshot);
        }
    }

    [Fact]
    public void An_image_that_came_by_its_tag_because_the_digest_was_lost_is_not_the_digests()
    {
        var record = new PullRecord([]);
        var byTag = new RecordedPull($"nginx:1@{s_digest}", "hub.local/nginx:1", "hub.local", Digest('1'), Time.GetUtcNow(), PulledWith.Nothing);
        record.Add(byTag);
        record.Find($"nginx:1@{s_digest}").ShouldBe(byTag);
        record.Find($"nginx@{s_digest}").ShouldBeNull();
        record.Find($"nginx:2@{s_digest}").ShouldBeNull();

        var byDigest = byTag with { Given = $"nginx@{s_digest}", Actual = $"hub.local/nginx@{s_digest}", ImageRef = Digest('2') };
        record.Add(byDigest);
        foreach (var name in (string[])[$"nginx:1@{s_digest}", $"nginx@{s_digest}", $"nginx:2@{s_digest}"])
            record.Find(name).ShouldBe(byDigest, name); // the better one
    }

    [Fact]
    public void A_pod_that_pays_for_what_the_node_has_paid_for_closes_it_to_nobody_in_either_spelling()
    {
        var record = new PullRecord([]);
        var paid = new RecordedPull($"nginx:1@{s_digest}", $"hub.local/nginx@{s_digest}", "hub.local", $"hub.local/nginx@{s_digest}", Time.GetUtcNow(), PulledWith.NodesOwn);
        record.Add(paid);
        record.Add(paid with { Given = $"nginx@{s_digest}", With = PulledWith.Callers, ImageRef = $"mirror.local/nginx@{s_digest}" }); // docker names any of its digests
        record.All.Single().With.ShouldBe(PulledWith.NodesOwn);
    }
}
