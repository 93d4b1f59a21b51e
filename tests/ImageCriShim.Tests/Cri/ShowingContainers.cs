using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>What a pod's status says of its image.</summary>
public sealed class ShowingContainers : NamesTest
{
    private const string RuntimeService = "/runtime.v1.RuntimeService/";

    [Fact]
    public async Task A_container_is_shown_with_the_name_that_was_asked_for_and_nothing_else_changes()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        (await StatusOf(AtFirst("nginx:1"))).ShouldBe(StatusMessage("docker.io/library/nginx:1"));
    }

    [Fact]
    public async Task So_is_one_of_an_image_that_has_only_a_digest()
    {
        await Start();
        Pulled($"nginx@{Digest('d')}", AtFirst($"nginx@{Digest('d')}"));
        (await StatusOf(AtFirst($"nginx@{Digest('d')}"))).ShouldBe(StatusMessage($"docker.io/library/nginx@{Digest('d')}"));
    }

    [Theory]
    [InlineData("nginx:1", "docker.io/library/nginx:1")]
    [InlineData("quay.io/library/nginx:1", "quay.io/library/nginx:1")]
    [InlineData("gcr.io/another/one:1", "quay.io/library/nginx:1")] // none of them: the latest
    [InlineData("", "quay.io/library/nginx:1")]
    [InlineData("Not//A-Name", "quay.io/library/nginx:1")]
    public async Task Of_several_names_it_is_the_one_that_the_user_specified(string specified, string shown)
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        Pulled("quay.io/library/nginx:1", AtFirst("nginx:1"), image);
        (await StatusOf(AtFirst("nginx:1"), specified)).ShouldBe(StatusMessage(shown, specified));
    }

    [Theory]
    [InlineData("original", "elsewhere.local/nginx:1")]
    [InlineData("original", "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd")]
    [InlineData("original", "")]
    [InlineData("actual", "AT-FIRST")]
    public async Task Another_name_stays(string names, string image)
    {
        await Start(adjust: settings => settings with { Names = names == "actual" ? ShownNames.Actual : ShownNames.Original });
        Pulled("nginx:1", AtFirst("nginx:1"));
        image = image.Replace("AT-FIRST", AtFirst("nginx:1"));
        (await StatusOf(image)).ShouldBe(StatusMessage(image));
    }

    [Fact]
    public async Task With_both_names_a_container_still_has_one_the_one_that_was_asked_for()
    {
        await Start(adjust: settings => settings with { Names = ShownNames.Both });
        Pulled("nginx:1", AtFirst("nginx:1"));
        (await StatusOf(AtFirst("nginx:1"))).ShouldBe(StatusMessage("docker.io/library/nginx:1"));
    }

    [Fact]
    public async Task What_cannot_be_read_and_errors_pass()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Answer(RuntimeService + "ContainerStatus", [0xff, 0xff]);
        (await Caller.CallAsync(RuntimeService + "ContainerStatus", Field(1, "id"))).Single.ShouldBe([0xff, 0xff]);
        Runtime.On(RuntimeService + "ContainerStatus", call =>
        {
            call.Fail(5, "no such container");
            return Task.CompletedTask;
        });
        (await Caller.CallAsync(RuntimeService + "ContainerStatus", Field(1, "id"))).Message.ShouldBe("no such container");
    }

    [Fact]
    public async Task A_list_of_containers_is_as_the_runtime_gives_it()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        var list = Field(1, Message(Field(1, "id"), Field(4, Field(1, AtFirst("nginx:1"))), Field(5, Digest('d'))));
        Answer(RuntimeService + "ListContainers", list);
        (await Caller.CallAsync(RuntimeService + "ListContainers", [])).Single.ShouldBe(list);
    }

    private async Task<byte[]> StatusOf(string image, string specified = "")
    {
        Answer(RuntimeService + "ContainerStatus", StatusMessage(image, specified));
        return (await Caller.CallAsync(RuntimeService + "ContainerStatus", Field(1, "id"))).Single;
    }

    /// <summary>With an image_ref, an image_id and fields that nobody knows, in every message.</summary>
    private string StatusImageRef => $"{First.Host}/library/nginx@{Digest('d')}";

    private byte[] StatusMessage(string image, string specified = "") => Message(
        Field(1, Message(
            Field(1, "id"),
            Field(8, Message(Field(1, image), Field(2, Message(Field(1, "annotation"), Field(2, "value"))), specified.Length == 0 ? [] : Field(18, specified), Field(777, "of the spec"))),
            Field(9, StatusImageRef),
            Field(17, Digest('e')),
            Field(888, "of the status"))),
        Field(2, Message(Field(1, "info"), Field(2, "{}"))),
        Field(999, "of the response"));
}
