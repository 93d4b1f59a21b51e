using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>StreamImages, of which nobody knows how long it gets.</summary>
public sealed class StreamingImages : NamesTest
{
    private const string Path = "StreamImages";

    [Theory]
    [InlineData("")]
    [InlineData("nginx:1")]
    [InlineData("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_runtime_that_does_not_know_it_says_so_itself(string filter)
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Runtime.Off(ImageService + Path);
        var answer = await Caller.CallAsync(ImageService + Path, Filter(filter));
        (answer.Status, answer.Message).ShouldBe((12, "unknown method StreamImages for service runtime.v1.ImageService"));
        answer.Messages.ShouldBeEmpty();
    }

    [Fact]
    public async Task Five_thousand_images_larger_than_any_message_pass_with_their_names_restored_and_few_octets_held()
    {
        const int count = 5000, padding = 8 * 1024;
        await Start();
        var filler = Field(1001, new string('p', padding));
        var most = 0L;
        Runtime.On(ImageService + Path, async call =>
        {
            await call.ReadRequestAsync();
            call.SendHeaders();
            for (var i = 0; i < count; i++)
            {
                await call.SendAsync(Field(1, Message(new FakeImage($"sha256:{i:x64}", [AtFirst($"app{i}:1")], []).ToMessage(), filler)));
                most = Math.Max(most, Listener.HeldBytes);
            }

            call.Finish();
        });
        for (var i = 0; i < count; i += 2)
            Record.Add(new($"app{i}:1", AtFirst($"app{i}:1"), First.Host, $"sha256:{i:x64}", Time.GetUtcNow(), ImageCriShim.Rewriting.PulledWith.Nothing));

        var images = await Stream();

        images.Count.ShouldBe(count);
        images.Sum(image => (long)image.Length).ShouldBeGreaterThan(2L * 16 * 1024 * 1024);
        foreach (var (i, image) in images.Index())
        {
            image.AsSpan().EndsWith(filler).ShouldBeTrue();
            NamesOf(image).ShouldBe([i % 2 == 0 ? $"docker.io/library/app{i}:1" : AtFirst($"app{i}:1")]);
        }

        most.ShouldBeLessThan(4 * 1024 * 1024);
    }

    [Fact]
    public async Task A_caller_that_does_not_read_holds_the_runtime_back()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        var sent = 0;
        var message = Field(1, Message(Runtime.Images.All[0].ToMessage(), Field(1001, new string('p', 100_000))));
        Runtime.On(ImageService + Path, async call =>
        {
            await call.ReadRequestAsync();
            for (var i = 0; i < 1000; i++)
            {
                await call.SendAsync(message);
                Interlocked.Increment(ref sent);
            }

            call.Finish();
        });
        var slow = await Connect(new RawOptions { Credit = false });
        var stream = slow.Start(ImageService + Path);
        stream.Credit = false;
        await stream.SendMessageAsync([], end: true);
        await stream.Headers;
        await Wait.AWhile();
        Volatile.Read(ref sent).ShouldBeLessThan(20);
        Listener.HeldBytes.ShouldBeLessThan(2 * 1024 * 1024);
        NamesOf((await List()).Single())[0].ShouldBe("docker.io/library/nginx:1"); // others are not held up
        stream.Cancel();
        await Wait.Until(() => Runtime.CallsOf(Path).Single().CancelledAt is not null, "the runtime sees it");
    }

    [Fact]
    public async Task An_error_amid_the_stream_passes_behind_the_images_that_came_before()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        Runtime.On(ImageService + Path, async call =>
        {
            await call.ReadRequestAsync();
            await call.SendAsync(Field(1, image.ToMessage()));
            call.Fail(13, "the disk is gone", ("detail", "kept"));
        });
        var answer = await Caller.CallAsync(ImageService + Path, []);
        (answer.Status, answer.Message).ShouldBe((13, "the disk is gone"));
        answer.Trailers.ShouldContain(("detail", "kept"));
        NamesOf(Images(answer.Single).Single())[0].ShouldBe("docker.io/library/nginx:1");
    }

    [Fact]
    public async Task Messages_with_many_images_none_or_nonsense_in_them_pass()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        var restored = image with { Tags = ["docker.io/library/nginx:1"], Digests = [$"docker.io/library/nginx@{image.Id}"] };
        byte[] two = [.. Field(1, image.ToMessage()), .. Field(1, image.ToMessage())], nonsense = [0xff, 0xff];
        Runtime.On(ImageService + Path, async call =>
        {
            await call.ReadRequestAsync();
            foreach (var message in (byte[][])[[], two, nonsense, Field(1, image.ToMessage())])
                await call.SendAsync(message);
            call.Finish();
        });
        foreach (var filter in (string[])["", image.Id])
        {
            var answer = await Caller.CallAsync(ImageService + Path, Filter(filter));
            answer.Status.ShouldBe(0);
            answer.Messages.Select(message => message.Content).ShouldBe(
                [[], [.. Field(1, restored.ToMessage()), .. Field(1, restored.ToMessage())], nonsense, Field(1, restored.ToMessage())]);
        }
    }

    [Theory]
    [InlineData("original")]
    [InlineData("actual")]
    public async Task A_filter_by_a_name_that_only_a_candidate_has_is_answered_with_its_image(string names)
    {
        await Start(adjust: settings => settings with { Names = names == "actual" ? ShownNames.Actual : ShownNames.Original });
        var image = Runtime.Images.Add($"{Second.Host}/library/nginx:1");
        Runtime.Images.Add("elsewhere.local/other:1");
        var answer = (await Stream("nginx:1")).Single();
        FindText(answer, 1).ShouldBe(image.Id);
        NamesOf(answer)[0].ShouldBe(names == "actual" ? image.Tags[0] : "docker.io/library/nginx:1");
        (await Stream("absent:1")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_filter_keeps_the_fields_that_nobody_knows()
    {
        await Start();
        Runtime.Images.Add(AtFirst("nginx:1"));
        var spec = Message(Field(1, "nginx:1"), Field(777, "of the spec"));
        var request = Message(Field(1, Message(Field(1, spec), Field(888, "of the filter"))), Field(999, "of the request"));
        (await Caller.CallAsync(ImageService + Path, request)).Messages.Count.ShouldBe(1);
        var asked = Runtime.CallsOf("ListImages").Single().Requests[0];
        FindText(asked, 1, 1, 1).ShouldBe(AtFirst("nginx:1"));
        FindText(asked, 1, 1, 777).ShouldBe("of the spec");
        FindText(asked, 1, 888).ShouldBe("of the filter");
        FindText(asked, 999).ShouldBe("of the request");
    }

    [Fact]
    public async Task An_empty_stream_is_an_empty_stream()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Runtime.Images.Clear();
        (await Stream()).ShouldBeEmpty();
        (await Stream("nginx:1")).ShouldBeEmpty();
    }
}
