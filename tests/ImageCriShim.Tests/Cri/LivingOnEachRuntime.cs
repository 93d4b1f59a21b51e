using ImageCriShim.Configuration;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>Pulling, finding, naming and using images.</summary>
public sealed class LivingOnEachRuntime : OnEachRuntimeTest
{
    public static TheoryData<string, string> RuntimesInEachMode => new MatrixTheoryData<string, string>(
        [Containerd, Crio, Docker], ["original", "both", "actual"]);

    [Theory, MemberData(nameof(RuntimesInEachMode))]
    public async Task A_pulled_image_is_found_by_each_of_its_names_and_shown_in_the_runtimes_fashion(string runtime, string names)
    {
        var mode = Enum.Parse<ShownNames>(names, ignoreCase: true);
        await StartOn(runtime, settings => settings with { Names = mode });
        await PullThrough("redis:7");
        var image = await PullThrough("nginx:1.25");
        string[] shown = [Written($"{Nginx}:1.25"), AtFirst("nginx:1.25"), Written($"{Nginx}@{DigestOf(image)}"), AtFirst($"nginx@{DigestOf(image)}")];
        string[] expected = mode switch
        {
            ShownNames.Original => [shown[0], shown[2]],
            ShownNames.Actual => [shown[1], shown[3]],
            _ => shown,
        };

        foreach (var spelling in (string[])["nginx:1.25", $"{Nginx}:1.25", AtFirst("nginx:1.25"), image.Id])
            NamesOf(await Status(spelling)).ShouldBe(expected, spelling);
        foreach (var filter in (string[])["nginx:1.25", $"{Nginx}:1.25", AtFirst("nginx:1.25")])
        {
            NamesOf((await List(filter)).Single()).ShouldBe(expected, filter);
            NamesOf((await Stream(filter)).Single()).ShouldBe(expected, filter);
        }

        (await List()).Select(NamesOf).ShouldContain(found => found.SequenceEqual(expected));
        (await Stream()).Select(NamesOf).ShouldContain(found => found.SequenceEqual(expected));
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7", "nginx:1.25"], ignoreOrder: true);
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task An_image_that_is_nowhere_is_absent_so_that_kubelet_pulls_it(string runtime)
    {
        await StartOn(runtime);
        foreach (var method in (string[])["ImageStatus", "ListImages", "RemoveImage"])
        {
            var answer = await Call(method, "absent:1");
            (answer.Status, answer.Message).ShouldBe((0, ""), method);
            answer.Single.ShouldBeEmpty(method);
        }

        (await Stream("absent:1")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_no_registry_would_be_asked_a_short_name_is_CRI_Os_own_error()
    {
        await StartOn(Crio, settings => settings with { Exclude = [Pattern("docker.io")] });
        Pulled("other:1", AtFirst("other:1")); // so that removals are looked at as well
        foreach (var method in (string[])["ImageStatus", "ListImages", "StreamImages", "RemoveImage"])
        {
            var answer = await Call(method, "nginx:1");
            answer.Status.ShouldBe(2, method);
            answer.Message.ShouldBe(Runtime.Images.Refuse("nginx:1")!.Value.Text, method);
        }
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task A_container_may_name_its_image_as_it_was_asked_for(string runtime)
    {
        await StartOn(runtime);
        var image = await PullThrough("nginx:1.25");
        foreach (var name in (string[])["nginx:1.25", $"{Nginx}:1.25", AtFirst("nginx:1.25"), image.Id])
            FindText((await Caller.CallAsync(CreateContainer, Field(2, Field(2, Field(1, name))))).Single, 1).ShouldBe(image.Id, name);
        (await Caller.CallAsync(CreateContainer, Field(2, Field(2, Field(1, "absent:1"))))).Status.ShouldBe(runtime == Crio ? 2 : 5); // its own error
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task A_containers_image_is_shown_in_the_runtimes_fashion(string runtime)
    {
        await StartOn(runtime);
        var image = await PullThrough("nginx:1.25");
        foreach (var (actual, given) in new[] { (image.Tags[0], $"{Nginx}:1.25"), (image.Digests[0], $"{Nginx}@{DigestOf(image)}") })
        {
            Answer("/runtime.v1.RuntimeService/ContainerStatus", Field(1, Field(8, Field(1, actual))));
            var status = (await Caller.CallAsync("/runtime.v1.RuntimeService/ContainerStatus", Field(1, "container"))).Single;
            FindText(status, 1, 8, 1).ShouldBe(Written(given));
        }
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task A_name_that_an_image_really_has_is_shown_on_that_one_alone(string runtime)
    {
        await StartOn(runtime);
        var loaded = Runtime.Images.Add($"{Nginx}:1.25");
        var pulled = await PullThrough("nginx:1.25");
        var list = (await List()).ToDictionary(image => FindText(image, 1), NamesOf);
        list[loaded.Id].ShouldBe([Written($"{Nginx}:1.25"), Written($"{Nginx}@{DigestOf(loaded)}")]);
        list[pulled.Id].ShouldBe([AtFirst("nginx:1.25"), Written($"{Nginx}@{DigestOf(pulled)}")]);
        FindText(await Status($"{Nginx}:1.25"), 1).ShouldBe(loaded.Id);
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task An_image_with_both_names_shows_the_one_that_was_asked_for_once(string runtime)
    {
        await StartOn(runtime);
        Runtime.Images.Contents[$"{Nginx}:1.25"] = Runtime.Images.Contents[AtFirst("nginx:1.25")] = "the same";
        Runtime.Images.Add($"{Nginx}:1.25");
        var image = await PullThrough("nginx:1.25");
        NamesOf((await List()).Single()).ShouldBe([Written($"{Nginx}:1.25"), Written($"{Nginx}@{DigestOf(image)}")]);
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task A_name_that_two_images_were_pulled_for_is_shown_on_the_one_that_is_found_by_it(string runtime)
    {
        await StartOn(runtime);
        foreach (var (given, actual) in new[] { ("nginx:1", AtFirst("nginx:1")), ($"nginx:1@{Digest('d')}", $"{Second.Host}/library/nginx:1") })
        {
            var image = Runtime.Images.Add(actual); // the second came by its tag, with digestFallback
            Record.Add(new RecordedPull(given, actual, "hub", image.Id, Time.GetUtcNow(), PulledWith.NodesOwn));
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        var list = (await List()).ToDictionary(image => FindText(image, 1), NamesOf);
        list[Runtime.Images.Find(AtFirst("nginx:1"))!.Id].ShouldContain(Written($"{Nginx}:1"));
        list[Runtime.Images.Find($"{Second.Host}/library/nginx:1")!.Id].ShouldContain($"{Second.Host}/library/nginx:1");
        FindText(await Status("nginx:1"), 1).ShouldBe(Runtime.Images.Find(AtFirst("nginx:1"))!.Id);
    }

    [Fact]
    public async Task What_docker_writes_short_is_restored_as_well()
    {
        await StartOn(Docker);
        var image = Pulled("quay.io/team/app:1", "docker.io/corp/app:1"); // a registry on Docker Hub itself
        NamesOf(await Status("quay.io/team/app:1")).ShouldBe(["quay.io/team/app:1", $"quay.io/team/app@{DigestOf(image)}"]);
        image.Tags.ShouldBe(["corp/app:1"]);
    }

    [Fact]
    public async Task On_docker_each_image_of_a_repository_is_shown_by_what_it_was_pulled_by()
    {
        await StartOn(Docker);
        var (ours, theirs) = (Runtime.Images.Add(AtFirst("nginx:1")), Runtime.Images.Add(AtFirst("nginx:2")));
        foreach (var (given, image) in new[] { ("nginx:1", ours), ("quay.io/library/nginx:2", theirs) })
            Record.Add(new RecordedPull(given, image.Tags[0], First.Host, image.Digests[0], Time.GetUtcNow(), PulledWith.NodesOwn)); // as docker answers pulls
        NamesOf(await Status(ours.Id)).ShouldBe(["nginx:1", $"nginx@{DigestOf(ours)}"]);
        NamesOf(await Status(theirs.Id)).ShouldBe(["quay.io/library/nginx:2", $"quay.io/library/nginx@{DigestOf(theirs)}"]);
        await List();
        Record.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_came_as_given_from_Docker_Hub_stays_in_the_record_while_docker_lists_it_short()
    {
        await StartOn(Docker);
        var image = Runtime.Images.Add($"{Nginx}:1");
        Record.Add(new RecordedPull($"{Nginx}:1", $"{Nginx}:1", "docker.io", "sha256:unknown", Time.GetUtcNow(), PulledWith.Nothing));
        NamesOf((await List()).Single()).ShouldBe([.. image.Tags, .. image.Digests]);
        await List("library/nginx:1"); // which docker's filter does not know
        Record.All.Count.ShouldBe(1);
    }
}
