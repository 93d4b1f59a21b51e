using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Cri;

/// <summary>An image is removed as a whole, and forgotten when it is gone: not before.</summary>
public sealed class RemovingOnEachRuntime : OnEachRuntimeTest
{
    public static TheoryData<string, string> RuntimesAndNames => new MatrixTheoryData<string, string>(
        [Containerd, Crio, Docker],
        ["given", "given in full", "actual", "ID", "beginning of the ID", "given digest", "given tag and digest", "actual digest"]);

    [Theory, MemberData(nameof(RuntimesAndNames))]
    public async Task By_whatever_name_it_goes_and_is_forgotten_and_others_stay(string runtime, string by)
    {
        await StartOn(runtime);
        var other = await PullThrough("redis:7");
        var image = await PullThrough("nginx:1.25");
        var name = by switch
        {
            "given" => "nginx:1.25",
            "given in full" => $"{Nginx}:1.25",
            "actual" => AtFirst("nginx:1.25"),
            "ID" => image.Id,
            "beginning of the ID" => image.Id.Replace("sha256:", "")[..12],
            "given digest" => $"nginx@{DigestOf(image)}",
            "given tag and digest" => $"nginx:1.25@{DigestOf(image)}",
            _ => AtFirst($"nginx@{DigestOf(image)}"),
        };

        await Remove(name);

        Runtime.Images.All.ShouldBe([other]);
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7"]);
        (await FindId("nginx:1.25")).ShouldBe("");
        await Remove("nginx:1.25"); // is no error
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task All_its_names_go_with_it(string runtime)
    {
        await StartOn(runtime);
        Runtime.Images.Contents["elsewhere.local/mine:1"] = Runtime.Images.Contents[AtFirst("nginx:1.25")] = "the same";
        Runtime.Images.Add("elsewhere.local/mine:1");
        await PullThrough("nginx:1.25");
        await Remove("nginx:1.25");
        Runtime.Images.All.ShouldBeEmpty();
        Record.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_image_that_docker_does_not_let_go_is_an_error_and_stays_known()
    {
        await StartOn(Docker);
        var image = await PullThrough("nginx:1.25");
        ((DockerImages)Runtime.Images).InUse = image.Id;

        var answer = await Call("RemoveImage", "nginx:1.25");

        answer.Status.ShouldBe(2);
        answer.Message.ShouldContain("conflict: unable to remove repository reference");
        Runtime.Images.All.ShouldBe([image]);
        Record.All.Count.ShouldBe(1);
        Log.Lines.ShouldNotContain(line => line.Contains("removed"));
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task Where_nothing_is_recorded_and_the_name_is_the_runtime_s_own_it_goes_too(string runtime)
    {
        await StartOn(runtime);
        Runtime.Images.Add(AtFirst("mine:1"));
        await Remove(AtFirst("mine:1"));
        Runtime.Images.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_ID_that_docker_does_not_know_without_its_algorithm_is_removed_with_it()
    {
        await StartOn(Docker);
        var image = await PullThrough("nginx:1.25");
        await Remove(image.Id["sha256:".Length..]);
        Runtime.Images.All.ShouldBeEmpty();
        Record.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("by name")]
    [InlineData("by ID")]
    public async Task A_runtime_that_cannot_say_whether_it_is_gone_forgets_nothing(string by)
    {
        await StartOn(Containerd);
        var image = await PullThrough("nginx:1.25");
        Runtime.On(ImageService + "ImageStatus", call =>
        {
            call.Fail(14, "not now");
            return Task.CompletedTask;
        });
        await Remove(by == "by ID" ? image.Id : "nginx:1.25");
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_the_runtime_removes_nothing_by_its_ID_either_nothing_is_forgotten()
    {
        await StartOn(Containerd);
        var image = await PullThrough("nginx:1.25");
        Answer(ImageService + "RemoveImage", []);
        foreach (var name in (string[])["nginx:1.25", image.Id])
            await Remove(name);
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_name_of_which_nothing_is_there_takes_no_other_image_out_of_the_record()
    {
        await StartOn(Docker);
        var image = await PullThrough("nginx:1.25");
        Record.All.Single().ImageRef.ShouldBe(image.Digests[0]);
        await Remove($"quay.io/other@{DigestOf(image)}");
        Runtime.Images.All.ShouldBe([image]);
        Record.All.Count.ShouldBe(1);
    }
}
