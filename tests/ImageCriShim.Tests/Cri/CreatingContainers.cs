using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>A container of an image that the runtime has by another name, as <c>crictl run</c> makes it.</summary>
public sealed class CreatingContainers : NamesTest
{
    private const string Path = "/runtime.v1.RuntimeService/CreateContainer";

    private readonly List<byte[]> created = [];

    [Fact]
    public async Task An_image_that_is_there_by_a_candidates_name_is_named_so_and_nothing_else_changes()
    {
        await Serve();
        Runtime.Images.Add(AtFirst("nginx:1"));
        await ShouldCreate(Request("nginx:1"), Request(AtFirst("nginx:1")));
    }

    [Fact]
    public async Task So_is_one_that_was_pulled_by_a_name_of_former_settings()
    {
        await Serve();
        Pulled("nginx:1", "former.local/nginx:1");
        await ShouldCreate(Request("nginx:1"), Request("former.local/nginx:1"));
    }

    [Theory]
    [InlineData("as given")]
    [InlineData("id")]
    [InlineData("id without algorithm")]
    [InlineData("short id")]
    [InlineData("absent")]
    [InlineData("nothing")]
    [InlineData("Not//A-Name")]
    public async Task What_the_runtime_knows_or_nobody_has_goes_on_as_it_came(string image)
    {
        await Serve();
        var there = Runtime.Images.Add("elsewhere.local/app:1");
        var request = Request(image switch
        {
            "as given" => "elsewhere.local/app:1",
            "id" => there.Id,
            "id without algorithm" => there.Id["sha256:".Length..],
            "short id" => there.Id["sha256:".Length..][..12],
            "absent" => "absent:1",
            "nothing" => "",
            _ => image,
        });
        await ShouldCreate(request, request);
    }

    [Fact]
    public async Task An_ID_costs_no_look_up()
    {
        await Serve();
        await ShouldCreate(Request(Digest('d')), Request(Digest('d')));
        Runtime.CallsOf("ImageStatus").ShouldBeEmpty();
    }

    [Fact]
    public async Task Images_of_volumes_are_named_each_for_itself()
    {
        await Serve();
        Runtime.Images.Add(AtFirst("data:1"));
        Runtime.Images.Add($"{Second.Host}/library/more:1");
        Runtime.Images.Add("elsewhere.local/app:1");
        await ShouldCreate(
            Request(Digest('d'), null, "data:1", "elsewhere.local/app:1", Digest('e'), "more:1", null, "absent:1"),
            Request(Digest('d'), null, AtFirst("data:1"), "elsewhere.local/app:1", Digest('e'), $"{Second.Host}/library/more:1", null, "absent:1"));
    }

    [Fact]
    public async Task A_container_without_an_image_gets_none()
    {
        await Serve();
        Runtime.Images.Add(AtFirst("data:1"));
        await ShouldCreate(Field(2, Mount("data:1")), Field(2, Mount(AtFirst("data:1"))));
    }

    [Fact]
    public async Task A_message_that_is_written_in_an_odd_way_and_needs_no_change_is_not_written_anew()
    {
        await Serve();
        Runtime.Images.Add("elsewhere.local/app:1");
        byte[] halves = [.. Field(2, Field(1, "first half")), .. Field(2, Field(2, Field(1, "elsewhere.local/app:1")))];
        await ShouldCreate(halves, halves);
    }

    [Fact]
    public async Task A_compressed_request_is_read_too()
    {
        await Serve();
        Runtime.Images.Add(AtFirst("nginx:1"));
        var stream = Caller.Start(Path, ("grpc-encoding", "gzip"));
        await stream.SendMessageAsync(Request("nginx:1"), end: true, gzip: true);
        (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
        created.ShouldBe([Request(AtFirst("nginx:1"))]);
    }

    [Fact]
    public async Task What_cannot_be_read_goes_on_as_it_came()
    {
        await Serve();
        await ShouldCreate([0xff, 0xff], [0xff, 0xff]);
        byte[] torn = Field(2, (byte[])[0x12, 0x50, 1]);
        await ShouldCreate(torn, torn);
    }

    [Fact]
    public async Task The_runtimes_own_error_is_the_callers()
    {
        await Start();
        Runtime.Images.Add(AtFirst("nginx:1"));
        Runtime.On(Path, call =>
        {
            call.Fail(2, "no sandbox of that name", ("detail", "kept"));
            return Task.CompletedTask;
        });
        foreach (var image in (string[])["nginx:1", Digest('d')])
        {
            var answer = await Caller.CallAsync(Path, Request(image));
            (answer.Status, answer.Message).ShouldBe((2, "no sandbox of that name"));
            answer.Trailers.ShouldContain(("detail", "kept"));
        }
    }

    [Fact]
    public async Task A_runtime_that_cannot_say_which_images_it_has_gets_the_call_as_it_came()
    {
        await Serve();
        Runtime.On(ImageService + "ImageStatus", call =>
        {
            call.Fail(2, "the disk is gone");
            return Task.CompletedTask;
        });
        await ShouldCreate(Request("nginx:1"), Request("nginx:1"));
    }

    [Fact]
    public async Task A_caller_that_cancels_while_it_is_prepared_is_let_go_and_the_runtime_never_creates()
    {
        await Serve();
        Runtime.On(ImageService + "ImageStatus", async call => await Task.Delay(Timeout.Infinite, call.Cancelled));
        var stream = Caller.Start(Path);
        await stream.SendMessageAsync(Request("nginx:1"), end: true);
        await Wait.Until(() => Runtime.CallsOf("ImageStatus").Any());
        stream.Cancel();
        await Wait.Until(() => Runtime.CallsOf("ImageStatus").Single().CancelledAt is not null, "the look-up ends");
        await Wait.Until(() => Listener.HeldBytes == 0, "nothing is held");
        await Wait.Until(() => Runtime.CallsOf("CreateContainer").Single().CancelledAt is not null, "the runtime sees it");
        created.ShouldBeEmpty();
        await ShouldCreate(Request(Digest('d')), Request(Digest('d'))); // on the same connection
    }

    [Fact]
    public async Task A_runtime_that_goes_away_meanwhile_ends_the_callers_connection_and_no_more()
    {
        await Serve();
        Runtime.On(ImageService + "ImageStatus", async call => await Task.Delay(Timeout.Infinite, call.Cancelled));
        var stream = Caller.Start(Path);
        await stream.SendMessageAsync(Request("nginx:1"), end: true);
        await Wait.Until(() => Runtime.CallsOf("ImageStatus").Any());
        await Runtime.DisposeAsync();
        await Should.ThrowAsync<ConnectionLostException>(stream.ReadAnswerAsync);
        StartRuntime();
        (await (await Connect()).CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Several_at_a_time_on_one_connection_do_not_get_into_each_others_way()
    {
        await Serve();
        var images = Enumerable.Range(0, 40).Select(i => $"app{i}:1").ToArray();
        Array.ForEach(images, image => Runtime.Images.Add(AtFirst(image)));
        var answers = await Task.WhenAll(images.Select(image => Caller.CallAsync(Path, Request(image))));
        answers.ShouldAllBe(answer => answer.Status == 0);
        lock (created)
            created.Select(request => FindText(request, 2, 2, 1)).ShouldBe(images.Select(AtFirst), ignoreOrder: true);
    }

    private async Task Serve()
    {
        await Start();
        Runtime.On(Path, async call =>
        {
            var request = await call.ReadRequestAsync();
            lock (created)
                created.Add(request);
            await call.AnswerAsync(Field(1, "container"));
        });
    }

    private async Task ShouldCreate(byte[] sent, byte[] received)
    {
        created.Clear();
        (await Caller.CallAsync(Path, sent)).Status.ShouldBe(0);
        created.ShouldHaveSingleItem().ShouldBe(received);
    }

    /// <param name="image">The container's.</param>
    /// <param name="mounts">An image each; null for a mount of a directory.</param>
    private static byte[] Request(string image, params string?[] mounts) => Message(
        Field(1, "sandbox"),
        Field(2, Message(
            Field(1, Message(Field(1, "name"), Field(2, 3UL))),
            Field(2, Message(Field(1, image), Field(2, Message(Field(1, "annotation"), Field(2, "value"))), Field(777, "of the spec"))),
            Field(3, "command"),
            [.. mounts.SelectMany(mount => Mount(mount))],
            Field(8, Message(Field(1, "device"))),
            Field(888, "of the config"))),
        Field(3, Field(1, "of the sandbox")),
        Field(999, "of the request"));

    private static byte[] Mount(string? image) => Field(7, Message(
        Field(1, "/in/the/container"),
        image is null ? Field(2, "/on/the/host") : Field(9, Message(Field(1, image), Field(777, "of its spec"))),
        Field(10, "sub/path"), Field(888, "of the mount")));
}
