using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>Images are shown by the names that were asked for, and nothing else in the runtime's answers changes.</summary>
public sealed class RestoringNames : NamesTest
{
    private const string Nginx = "docker.io/library/nginx";

    [Theory]
    [InlineData("original")]
    [InlineData("both")]
    [InlineData("actual")]
    public async Task An_image_that_was_pulled_is_shown_as_the_settings_say_and_else_octet_for_octet_as_it_is(string names)
    {
        First.Add("library/nginx", "1.25");
        CanPull(AtFirst("nginx:1.25"));
        await Start(names switch { "both" => ShownNames.Both, "actual" => ShownNames.Actual, _ => ShownNames.Original });
        var id = await PullRef("nginx:1.25");
        var actual = Runtime.Images.Find(id)!;
        string[] tags = [$"{Nginx}:1.25"], digests = [$"{Nginx}@{id}"];
        var expected = names switch
        {
            "actual" => actual,
            "both" => actual with { Tags = [.. tags, .. actual.Tags], Digests = [.. digests, .. actual.Digests] },
            _ => actual with { Tags = tags, Digests = digests },
        };

        foreach (var spelling in (string[])["nginx:1.25", $"{Nginx}:1.25", AtFirst("nginx:1.25"), id, id["sha256:".Length..], id["sha256:".Length..][..12]])
            (await Status(spelling)).ShouldBe(expected.ToMessage(), spelling);
        foreach (var filter in (string[])["", "nginx:1.25", AtFirst("nginx:1.25"), id])
        {
            (await List(filter)).ShouldBe([expected.ToMessage()], filter);
            (await Stream(filter)).ShouldBe([expected.ToMessage()], filter);
        }
    }

    [Fact]
    public async Task The_answer_of_a_pull_stays_the_runtimes_own()
    {
        First.Add("library/nginx", "1.25");
        CanPull(AtFirst("nginx:1.25"));
        await Start();
        Answer(ImageService + "PullImage", Message(Field(1, $"{First.Host}/library/nginx@{Digest('d')}"), Field(900, "unknown")));
        (await Pull("nginx:1.25")).Single.ShouldBe(Message(Field(1, $"{First.Host}/library/nginx@{Digest('d')}"), Field(900, "unknown")));
    }

    [Fact]
    public async Task What_stands_beside_the_images_stays()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        byte[] before = Field(7, "in front"), behind = Message(Field(2, Message(Field(1, "info"), Field(2, "{}"))), Field(8, 5UL));
        Answer(ImageService + "ImageStatus", Message(before, Field(1, image.ToMessage()), behind));
        var answer = (await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, "nginx:1")))).Single;
        answer.ShouldBe(Message(before, Field(1, Restored(image, $"{Nginx}:1", Nginx).ToMessage()), behind));
    }

    [Fact]
    public async Task An_image_that_was_asked_for_by_two_names_is_shown_by_both()
    {
        await Start();
        var image = Pulled("quay.io/library/nginx:1", AtFirst("nginx:1"));
        Pulled("nginx:1", AtFirst("nginx:1"), image);
        NamesOf((await List()).Single()).ShouldBe(
            [$"{Nginx}:1", "quay.io/library/nginx:1", $"quay.io/library/nginx@{image.Id}", $"{Nginx}@{image.Id}"], ignoreOrder: true);
    }

    [Fact]
    public async Task Where_a_repository_stands_for_two_each_image_is_shown_by_those_that_it_was_pulled_by()
    {
        await Start();
        var ours = Pulled("nginx:1", AtFirst("nginx:1"));
        var theirs = Pulled("quay.io/library/nginx:2", AtFirst("nginx:2"));
        NamesOf(await Status(ours.Id)).ShouldBe([$"{Nginx}:1", $"{Nginx}@{ours.Id}"]);
        NamesOf(await Status(theirs.Id)).ShouldBe(["quay.io/library/nginx:2", $"quay.io/library/nginx@{theirs.Id}"]);
    }

    [Fact]
    public async Task A_name_that_was_pulled_as_given_stays()
    {
        await Start();
        var image = Pulled(Image(), Image());
        (await List()).ShouldBe([image.ToMessage()]);
        var other = Runtime.Images.Add("elsewhere.local/of-nobody:1"); // and so does one that did not come through us
        (await Status(other.Id)).ShouldBe(other.ToMessage());
    }

    [Fact]
    public async Task An_older_image_whose_tag_has_moved_on_keeps_its_digest_restored()
    {
        await Start();
        var old = Pulled("nginx:1", AtFirst("nginx:1"), new FakeImage(Digest('a'), [AtFirst("nginx:1")], [AtFirst($"nginx@{Digest('b')}")]));
        Runtime.Images.Add(old with { Tags = [] });
        var current = Pulled("nginx:1", AtFirst("nginx:1"), new FakeImage(Digest('c'), [AtFirst("nginx:1")], [AtFirst($"nginx@{Digest('d')}")]));
        var list = await List();
        list.ShouldBe([(old with { Tags = [], Digests = [$"{Nginx}@{Digest('b')}"] }).ToMessage(), Restored(current, $"{Nginx}:1", Nginx).ToMessage()]);
    }

    [Fact]
    public async Task An_image_with_several_digests_has_all_of_them_restored()
    {
        await Start();
        string[] digests = [AtFirst($"nginx@{Digest('b')}"), AtFirst($"nginx@{Digest('d')}"), $"elsewhere.local/nginx@{Digest('b')}"];
        var image = Pulled("nginx:1", AtFirst("nginx:1"), new FakeImage(Digest('a'), [AtFirst("nginx:1"), AtFirst("nginx:never-asked-for")], digests));
        NamesOf(await Status(image.Id)).ShouldBe(
            [$"{Nginx}:1", AtFirst("nginx:never-asked-for"), $"{Nginx}@{Digest('b')}", $"{Nginx}@{Digest('d')}", $"elsewhere.local/nginx@{Digest('b')}"]);
    }

    [Fact]
    public async Task A_name_that_another_image_of_the_list_really_has_is_not_shown_on_a_second_one()
    {
        await Start();
        var loaded = new FakeImage(Digest('1'), [$"{Nginx}:1"], []);
        Runtime.Images.Add(loaded);
        var pulled = Pulled("nginx:1", AtFirst("nginx:1"), new FakeImage(Digest('2'), [AtFirst("nginx:1")], [AtFirst($"nginx@{Digest('d')}")]));
        var list = await List();
        list.Select(NamesOf).ShouldBe([[$"{Nginx}:1"], [AtFirst("nginx:1"), $"{Nginx}@{Digest('d')}"]]);
        NamesOf((await List(pulled.Id)).Single()).ShouldContain($"{Nginx}:1"); // where it is alone nothing is ambiguous
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_record_the_name_that_is_asked_for_is_shown(bool byDigest)
    {
        await Start();
        var image = Runtime.Images.Add(AtFirst("nginx:1"));
        var asked = byDigest ? $"nginx@{image.Id}" : "nginx:1";
        string[] expected = [byDigest ? AtFirst("nginx:1") : $"{Nginx}:1", $"{Nginx}@{image.Id}"];
        NamesOf(await Status(asked)).ShouldBe(expected);
        NamesOf((await List(asked)).Single()).ShouldBe(expected);
        NamesOf((await Stream(asked)).Single()).ShouldBe(expected);
        NamesOf((await List()).Single()).ShouldBe([.. image.Tags, .. image.Digests]); // nobody asks for anything
    }

    [Fact]
    public async Task A_digest_that_is_asked_for_of_an_image_that_came_by_its_tag_is_found_at_a_registry_of_former_settings()
    {
        await Start();
        var image = Pulled("nginx:1", "former.local/nginx:1");
        NamesOf(await Status($"nginx@{image.Id}")).ShouldBe([$"{Nginx}:1", $"{Nginx}@{image.Id}"]);
    }

    [Fact]
    public async Task An_answer_that_is_compressed_is_restored_as_well()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        foreach (var method in (string[])["ImageStatus", "ListImages", "StreamImages"])
        {
            Runtime.On(ImageService + method, async call =>
            {
                await call.ReadRequestAsync();
                await call.SendAsync(Field(1, image.ToMessage()), gzip: true);
                call.Finish();
            });
            var request = method == "ImageStatus" ? Field(1, Field(1, image.Id)) : [];
            var answer = await Caller.CallAsync(ImageService + method, request, ("grpc-accept-encoding", "gzip"));
            answer.Single.ShouldBe(Field(1, Restored(image, $"{Nginx}:1", Nginx).ToMessage()), method);
        }
    }

    [Theory]
    [InlineData("not protobuf")]
    [InlineData("torn")]
    [InlineData("two messages")]
    [InlineData("compressed unknowably")]
    [InlineData("other wire types")]
    public async Task An_answer_that_cannot_be_read_is_passed_on_as_it_came(string what)
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        var good = GrpcMessage.Encode(Field(1, image.ToMessage()));
        byte[] body = what switch
        {
            "not protobuf" => GrpcMessage.Encode([0xff, 0xff, 0xff]),
            "torn" => GrpcMessage.Encode(Field(1, image.ToMessage()).AsSpan()[..^3]),
            "two messages" => [.. good, .. good],
            "compressed unknowably" => [1, .. good[1..]],
            _ => GrpcMessage.Encode(Message(Field(1, 7UL), Field(1, Message(Field(1, 7UL), Field(2, 7UL), Field(3, 7UL))))),
        };
        foreach (var (method, request) in new[] { ("ImageStatus", Field(1, Field(1, image.Id))), ("ListImages", []), ("ListImages", Filter(image.Id)) })
        {
            Runtime.On(ImageService + method, async call =>
            {
                await call.ReadRequestAsync();
                call.SendHeaders();
                await call.Stream.SendDataAsync(body);
                call.Finish();
            });
            var answer = await Caller.CallAsync(ImageService + method, request);
            answer.Status.ShouldBe(0);
            Concat(answer).ShouldBe(body);
        }
    }

    [Fact]
    public async Task A_length_that_the_runtime_announced_is_not_passed_on_with_another_body()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        var untouched = Runtime.Images.Add("elsewhere.local/x:1");
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            var body = GrpcMessage.Encode(Field(1, Runtime.Images.Find(FindText(await call.ReadRequestAsync(), 1, 1))!.ToMessage()));
            call.SendHeaders(("content-length", $"{body.Length}"), ("kept", "yes"));
            await call.Stream.SendDataAsync(body);
            call.Finish();
        });
        foreach (var (id, isAnnounced) in new[] { (image.Id, false), (untouched.Id, true) })
        {
            var answer = await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, id)));
            answer.Headers.Any(field => field.Name == "content-length").ShouldBe(isAnnounced);
            answer.Headers.ShouldContain(("kept", "yes"));
        }
    }

    [Fact]
    public async Task A_list_larger_than_all_windows_comes_whole()
    {
        await Start();
        for (var i = 0; i < 4000; i++)
            Pulled($"app{i}:1", AtFirst($"app{i}:1"));
        var list = await List();
        list.Select(image => NamesOf(image)[0]).ToHashSet().SetEquals(Enumerable.Range(0, 4000).Select(i => $"docker.io/library/app{i}:1")).ShouldBeTrue();
        list.Sum(image => image.Length).ShouldBeGreaterThan(10 * 65_535);
    }

    [Fact]
    public async Task An_error_of_the_runtime_is_its_own()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        Array.ForEach(["ImageStatus", "ListImages"], method => Runtime.On(ImageService + method, call =>
        {
            call.Fail(2, "server is not initialized yet", ("detail", "kept"));
            return Task.CompletedTask;
        }));
        foreach (var (method, request) in new[] { ("ImageStatus", Field(1, Field(1, "nginx:1"))), ("ListImages", []), ("ListImages", Filter("nginx:1")) })
        {
            var answer = await Caller.CallAsync(ImageService + method, request);
            (answer.Status, answer.Message).ShouldBe((2, "server is not initialized yet"));
            answer.Trailers.ShouldContain(("detail", "kept"));
        }

        Record.All.Count.ShouldBe(1);
    }

    private static FakeImage Restored(FakeImage image, string tag, string repository) =>
        image with { Tags = [tag], Digests = [.. image.Digests.Select(digest => repository + digest[digest.IndexOf('@')..])] };

    private static byte[] Concat(RawAnswer answer) =>
        [.. answer.Messages.SelectMany(message => (byte[])[.. GrpcMessage.Encode(message.Bytes).Select((octet, i) => i == 0 && message.Compressed ? (byte)1 : octet)])];

    private Task Start(ShownNames names = ShownNames.Original, params Registry[] registries) =>
        base.Start(registries.Length == 0 ? null : registries, settings => settings with { Names = names });
}
