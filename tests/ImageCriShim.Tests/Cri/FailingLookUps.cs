using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>A look-up that fails says of the name what it can: an error about the name leads on to others, one of the runtime is the answer.</summary>
public sealed class FailingLookUps : NamesTest
{
    private static readonly string[] s_methods = ["ImageStatus", "ListImages", "StreamImages"];
    private static readonly int[] s_aboutTheName = [2, 3, 5, 7, 9, 13, 16], s_ofTheRuntime = [1, 4, 8, 12, 14];

    public static TheoryData<string, int> AboutTheName => new MatrixTheoryData<string, int>(s_methods, s_aboutTheName);

    public static TheoryData<string, int> OfTheRuntime => new MatrixTheoryData<string, int>(s_methods, s_ofTheRuntime);

    [Theory, MemberData(nameof(AboutTheName))]
    public async Task An_image_is_found_by_another_name_whatever_the_runtime_says_to_the_one_as_given(string method, int code)
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        Fail(method, code, "nginx:1");
        FindText((await Call(method)).Single, 1, 1).ShouldBe(image.Id);
        FindText((await Call(method)).Single, 1, 1).ShouldBe(image.Id); // asked ahead
        Record.All.Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(AboutTheName))]
    public async Task A_candidate_that_fails_is_passed_over(string method, int code)
    {
        await Start();
        Fail(method, code, "nginx:1", AtFirst("nginx:1"));
        (await Images(method)).ShouldBeEmpty();
        var image = Runtime.Images.Add($"{Second.Host}/library/nginx:1");
        (await Images(method)).Single().ShouldBe(image.Id);
    }

    [Theory, MemberData(nameof(OfTheRuntime))]
    public async Task A_runtime_that_cannot_answer_says_so_itself(string method, int code)
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Fail(method, code, "nginx:1");
        var answer = await Call(method);
        (answer.Status, answer.Message).ShouldBe((code, "no"));
        Record.All.Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(OfTheRuntime))]
    public async Task Nor_is_an_image_absent_where_it_cannot_answer_for_a_candidate(string method, int code)
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Fail(method, code, AtFirst("nginx:1"));
        (await Call(method)).Status.ShouldBe(code);
        Record.All.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("ImageStatus")]
    [InlineData("ListImages")]
    [InlineData("StreamImages")]
    public async Task A_containerd_that_is_starting_has_not_lost_its_images(string method)
    {
        await Start();
        Runtime.On(ImageService + method, Starting);
        Runtime.On(ImageService + "ListImages", Starting);
        var answer = await Call(method);
        (answer.Status, answer.Message).ShouldBe((2, "server is not initialized yet"));

        static Task Starting(FakeCall call)
        {
            call.Fail(2, "server is not initialized yet");
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task An_ID_and_a_whole_list_have_no_other_names()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        foreach (var (method, image) in new[] { ("ImageStatus", Digest('d')), ("ListImages", ""), ("ListImages", Digest('d')) })
        {
            Fail(method, 2, image);
            (await Caller.CallAsync(ImageService + method, method == "ImageStatus" ? Field(1, Field(1, image)) : Filter(image))).Status.ShouldBe(2);
        }
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha2")]
    [InlineData("auto")]
    public async Task The_runtimes_name_is_known_whatever_version_is_set(string version)
    {
        Runtime.Become(new DockerImages());
        using var client = new RuntimeClient(new RuntimeSocket(RuntimeSocketPath, TimeProvider.System));
        client.WritesShortNames.ShouldBeFalse();
        new VersionFinder(client, Enum.Parse<CriVersion>(version, ignoreCase: true)).Find(() => true);
        await Wait.Until(() => client.Name == "docker");
        client.WritesShortNames.ShouldBeTrue();
    }

    private Task<RawAnswer> Call(string method) => Caller.CallAsync(ImageService + method, method == "ImageStatus" ? Field(1, Field(1, "nginx:1")) : Filter("nginx:1"));

    private async Task<string[]> Images(string method)
    {
        var answer = await Call(method);
        (answer.Status, answer.Message).ShouldBe((0, ""));
        return [.. answer.Messages.Select(message => FindText(message.Content, 1, 1)).Where(id => id.Length > 0)];
    }

    /// <summary>The look-ups of these names fail; those of StreamImages are ListImages' but for the name as given.</summary>
    private void Fail(string method, int code, params string[] names)
    {
        foreach (var one in method == "StreamImages" ? [method, "ListImages"] : new[] { method })
        {
            Runtime.On(ImageService + one, async call =>
            {
                var request = await call.ReadRequestAsync();
                var name = one == "ImageStatus" ? FindText(request, 1, 1) : FindText(request, 1, 1, 1);
                if (names.Contains(name))
                    call.Fail(code, "no");
                else if (Runtime.Images.Find(name) is { } image)
                    await call.AnswerAsync(Field(1, image.ToMessage()));
                else if (one == "StreamImages")
                    call.Finish();
                else
                    await call.AnswerAsync([]);
            });
        }
    }
}
