using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>The first start on a node that has images, or one after the record was lost.</summary>
public sealed class BeginningTheRecord : NamesTest
{
    [Theory]
    [InlineData("{repository}", "", "library/nginx:1", "docker.io/library/nginx:1")]
    [InlineData("{repository}", "", "team/app:1", null)] // of which registry?
    [InlineData("{repository}", "quay.io", "team/app:1", "quay.io/team/app:1")]
    [InlineData("{repository}", "quay.io/team", "team/app:1", "quay.io/team/app:1")]
    [InlineData("{repository}", "quay.io/team", "others/app:1", null)] // it cannot have been asked for
    [InlineData("{repository}", "quay.io", "library/nginx:1", "quay.io/library/nginx:1")]
    [InlineData("{repository}", "quay.io docker.io", "team/app:1", null)]
    [InlineData("{repository}", "*.gcr.io", "team/app:1", null)]
    [InlineData("{repository}", "docker.io", "team/app:1", "docker.io/team/app:1")]
    [InlineData("mirror/{registry}/{repository}", "", "mirror/quay.io/team/app:1", "quay.io/team/app:1")]
    [InlineData("mirror/{registry}/{repository}", "", "mirror/hub.corp_5000/team/app:1", "hub.corp:5000/team/app:1")]
    [InlineData("mirror/{registry}/{repository}", "", "mirror/docker.io/library/nginx:1", "docker.io/library/nginx:1")]
    [InlineData("mirror/{registry}/{repository}", "", "elsewhere/quay.io/team/app:1", null)]
    [InlineData("{name}", "docker.io", "nginx:1", null)]
    [InlineData("/cache {repository}", "", "cache/library/nginx:1", "docker.io/library/nginx:1")] // a prefix in the address
    [InlineData("/cache {repository}", "", "library/nginx:1", null)]
    public async Task Images_of_a_registry_are_recorded_by_the_names_that_they_must_have_been_asked_for_by(string path, string images, string here, string? given)
    {
        KeepState(isNew: true);
        var prefix = path.StartsWith('/') ? path.Split(' ')[0] : "";
        var image = Runtime.Images.Add($"{First.Host}/{here}");
        await Start([Registry(prefix, path[prefix.Length..].Trim(), images)]);
        await Begin();
        Record.All.Select(pull => pull.Given).ShouldBe(given is null ? [] : [given]);
        if (given is null)
            return;
        Record.All.Single().ShouldBe(new RecordedPull(given, image.Tags[0], First.Host, image.Id, Time.GetUtcNow(), PulledWith.Unknown, image.Id));
        NamesOf((await List()).Single())[0].ShouldBe(given);
    }

    [Fact]
    public async Task An_image_that_has_only_a_digest_is_known_by_that()
    {
        KeepState(isNew: true);
        Runtime.Images.Add(AtFirst($"nginx@{Digest('d')}"));
        await Start();
        await Begin();
        Record.All.Single().Given.ShouldBe($"docker.io/library/nginx@{Digest('d')}");
        NamesOf((await List()).Single()).ShouldBe([$"docker.io/library/nginx@{Digest('d')}"]);
    }

    [Fact]
    public async Task Every_name_of_an_image_is_looked_at_and_what_is_no_name_is_not()
    {
        KeepState(isNew: true);
        Runtime.Images.Add(new FakeImage(
            Digest('1'),
            [AtFirst("nginx:1"), AtFirst("nginx:latest"), $"{Second.Host}/library/redis:7", "docker.io/library/real:1", "<none>:<none>", "", "Not//A-Name"],
            [AtFirst($"nginx@{Digest('a')}"), $"{Second.Host}/library/redis@{Digest('b')}", AtFirst($"other@{Digest('c')}"), "<none>@<none>"]));
        await Start();
        await Begin();
        Record.All.Select(pull => (pull.Given, pull.Digest)).ShouldBe(
            [
                ("docker.io/library/nginx:1", Digest('a')), ("docker.io/library/nginx:latest", Digest('a')), ("docker.io/library/redis:7", Digest('b')),
                ($"docker.io/library/other@{Digest('c')}", Digest('c')),
            ],
            ignoreOrder: true);
    }

    [Fact]
    public async Task Rules_of_one_host_that_contradict_each_other_tell_nothing()
    {
        KeepState(isNew: true);
        Runtime.Images.Add($"{First.Host}/team/app:1");
        await Start([Registry("", "{repository}", "docker.io"), Registry("", "{repository}", "quay.io")]);
        await Begin();
        Record.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_several_images_that_may_have_been_asked_for_by_one_name_it_is_the_one_that_is_looked_for_first(bool isListedFirst)
    {
        KeepState(isNew: true);
        Runtime.Images.Add(new FakeImage(Digest(isListedFirst ? '1' : '3'), [AtFirst("nginx:1")], []));
        Runtime.Images.Add(new FakeImage(Digest('2'), [$"{Second.Host}/library/nginx:1"], []));
        await Start();
        await Begin();
        Record.All.Single().Actual.ShouldBe(AtFirst("nginx:1"));
        FindText(await Status("nginx:1"), 1).ShouldBe(Digest(isListedFirst ? '1' : '3'));
    }

    [Fact]
    public async Task A_name_that_is_recorded_already_keeps_its_record()
    {
        KeepState(isNew: true);
        Runtime.Images.Add(AtFirst("nginx:1"));
        var pull = new RecordedPull("nginx:1", "former.local/nginx:1", "former.local", Digest('1'), Time.GetUtcNow(), PulledWith.NodesOwn);
        State!.Pulls.Add(pull);
        await Start();
        await Begin();
        Record.All.ShouldBe([pull]);
    }

    [Fact]
    public async Task It_is_done_once_and_written_down_even_if_there_is_nothing()
    {
        KeepState(isNew: true);
        await Start();
        await Begin();
        Runtime.Images.Add(AtFirst("nginx:1"));
        await using var another = await RawCaller.ConnectAsync(ShimSocketPath);
        await another.CallAsync("/test.Fake/Unary", [1]);
        Runtime.CallsOf("ListImages").Count().ShouldBe(1);
        Record.All.ShouldBeEmpty();
        State!.Dispose();
        using var after = NodeState.Open(Path.Combine(Path.GetDirectoryName(RuntimeSocketPath)!, "state"), Log, RawConnection.Patience);
        after.IsNew.ShouldBeFalse();
    }

    [Fact]
    public async Task Where_there_is_a_record_it_is_not_done()
    {
        KeepState(isNew: false);
        Runtime.Images.Add(AtFirst("nginx:1"));
        await Start();
        await Begin();
        Runtime.CallsOf("ListImages").ShouldBeEmpty();
        Record.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_runtime_that_fails_to_list_at_first_is_asked_with_the_next_connection()
    {
        KeepState(isNew: true);
        var image = Runtime.Images.Add(AtFirst("nginx:1"));
        Runtime.On(ImageService + "ListImages", call =>
        {
            call.Fail(2, "server is not initialized yet");
            return Task.CompletedTask;
        });
        await Start();
        await Begin();
        Record.All.ShouldBeEmpty();
        Answer(ImageService + "ListImages", Field(1, image.ToMessage()));
        await Begin(); // on the old one
        Record.All.ShouldBeEmpty();
        await using var next = await RawCaller.ConnectAsync(ShimSocketPath);
        await next.CallAsync("/test.Fake/Unary", [1]);
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Nonsense_from_the_runtime_is_nothing()
    {
        KeepState(isNew: true);
        Answer(ImageService + "ListImages", [0xff, 0xff]);
        await Start();
        await Begin();
        Record.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_runtime_of_the_older_version_is_asked_in_that()
    {
        KeepState(isNew: true);
        Runtime.Images.Add(AtFirst("nginx:1"));
        foreach (var method in (string[])["RuntimeService/Version", "ImageService/ListImages"])
            Runtime.Off($"/runtime.v1.{method}");
        await Start();
        await Begin();
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task While_it_takes_long_a_caller_that_leaves_is_let_go_of_and_one_that_waits_is_served()
    {
        KeepState(isNew: true);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Runtime.On(ImageService + "ListImages", async call =>
        {
            await release.Task.WaitAsync(call.Cancelled);
            await call.AnswerAsync(Field(1, Runtime.Images.Find(AtFirst("nginx:1"))!.ToMessage()));
        });
        Runtime.Images.Add(AtFirst("nginx:1"));
        await Start();
        var waiting = Begin();
        await Wait.Until(() => Runtime.CallsOf("ListImages").Any());
        using (ConnectBare())
            await Wait.Until(() => Runtime.CallsOf("Version").Count() == 4, "the second has got as far");
        await Wait.Until(() => Listener.Connections == 1, "it is let go of");
        release.SetResult();
        await waiting;
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_recorded_so_is_never_the_answer_in_an_outage()
    {
        Array.ForEach(["pull of ", "not pulled "], Expect);
        KeepState(isNew: true);
        var image = Runtime.Images.Add($"{Down}/team/app:1.0");
        await Start([At($"http://{Down}") with { Images = [ResolveCase.Pattern(OriginDown)] }]);
        await Begin();
        Record.Find(Image())!.With.ShouldBe(PulledWith.Unknown);
        (await FindId(Image())).ShouldBe(image.Id);
        foreach (var secret in (string?[])[null, "of a pod"])
        {
            var answer = await Pull(Image(), secret);
            answer.Status.ShouldNotBe(0);
            answer.Message.ShouldContain("it did not come through image-cri-shim");
        }
    }

    /// <summary>Until the connection is relayed.</summary>
    private async Task Begin() => (await Caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);

    private Registry Registry(string prefix, string path, string images)
    {
        PathTemplate.TryParse(path, out var template).ShouldBeTrue();
        return At(First.Address + prefix) with
        {
            Path = template,
            Images = [.. images.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ResolveCase.Pattern)],
        };
    }
}
