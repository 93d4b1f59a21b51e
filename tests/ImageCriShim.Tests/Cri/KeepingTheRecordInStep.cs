using ImageCriShim.Configuration;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>The record of pulls says what is on the node: what goes away, through us or behind our back, is forgotten.</summary>
public sealed class KeepingTheRecordInStep : NamesTest
{
    [Theory]
    [InlineData("given")]
    [InlineData("given in full")]
    [InlineData("candidate")]
    [InlineData("id")]
    [InlineData("id without algorithm")]
    [InlineData("short id")]
    [InlineData("given digest")]
    [InlineData("given tag and digest")]
    [InlineData("actual digest")]
    public async Task An_image_that_is_removed_by_any_of_its_names_is_forgotten_once_and_for_all(string by)
    {
        await Start([At(First.Address)]); // as most nodes have it: one registry, so its own names have no other
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        var other = Pulled("redis:7", AtFirst("redis:7"));
        var name = by switch
        {
            "given" => "nginx:1",
            "given in full" => "docker.io/library/nginx:1",
            "candidate" => AtFirst("nginx:1"),
            "id" => image.Id,
            "id without algorithm" => image.Id["sha256:".Length..],
            "short id" => image.Id["sha256:".Length..][..12],
            "given digest" => $"nginx@{image.Id}",
            "given tag and digest" => $"nginx:1@{image.Id}",
            _ => AtFirst($"nginx@{image.Id}"),
        };
        Runtime.On(ImageService + "RemoveImage", async call => // with or without the algorithm, as containerd takes them
        {
            var wanted = FindText(await call.ReadRequestAsync(), 1, 1);
            if ((Runtime.Images.Find(wanted) ?? Runtime.Images.Find($"sha256:{wanted}")) is { } found)
                Runtime.Images.Remove(found);
            await call.AnswerAsync([]);
        });

        await Remove(name);

        Runtime.Images.All.ShouldBe([other]);
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7"]);
        await Remove(name); // it is gone, which is all that anybody wants
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7"]);
    }

    [Fact]
    public async Task All_that_was_asked_for_and_brought_it_is_forgotten_with_it()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        Pulled("quay.io/library/nginx:1", AtFirst("nginx:1"), image);
        Pulled($"nginx@{image.Id}", AtFirst($"nginx@{image.Id}"), image);
        await Remove("nginx:1");
        Record.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_image_that_was_pulled_as_given_is_forgotten_as_well()
    {
        await Start(adjust: settings => settings with { Exclude = [Rewriting.ResolveCase.Pattern("quay.io")] });
        Pulled("quay.io/team/app:1", "quay.io/team/app:1");
        await Remove("quay.io/team/app:1");
        Runtime.Images.All.ShouldBeEmpty();
        Record.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Images_that_vanish_behind_our_back_are_forgotten_at_the_next_full_list()
    {
        await Start();
        var gone = Pulled("nginx:1", AtFirst("nginx:1"));
        Pulled("redis:7", AtFirst("redis:7"));
        Runtime.Images.Remove(gone);
        await List("redis:7"); // which is no full one
        Record.All.Count.ShouldBe(2);
        await List();
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7"]);
    }

    [Fact]
    public async Task Those_that_are_pulled_while_it_is_made_are_not()
    {
        await Start();
        var image = Pulled("nginx:1", AtFirst("nginx:1"));
        Pulled("redis:7", AtFirst("redis:7"));
        Runtime.On(ImageService + "ListImages", async call =>
        {
            await call.ReadRequestAsync();
            Time.Advance(TimeSpan.FromSeconds(1));
            Pulled("nginx:1", AtFirst("nginx:1"), image with { Id = Digest('f') }); // again
            Pulled("late:1", AtFirst("late:1"));
            await call.AnswerAsync(Field(1, Runtime.Images.Find("redis:7") is { } redis ? redis.ToMessage() : Runtime.Images.Find(AtFirst("redis:7"))!.ToMessage()));
        });
        await List();
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7", "nginx:1", "late:1"], ignoreOrder: true);
    }

    [Fact]
    public async Task An_empty_list_is_not_believed_and_neither_is_an_error_or_nonsense()
    {
        await Start();
        Pulled("nginx:1", AtFirst("nginx:1"));
        foreach (var answer in (Func<FakeCall, Task>[])[call => Answer(call, []), call => Answer(call, [0xff]), Failing])
        {
            Runtime.On(ImageService + "ListImages", answer);
            await Caller.CallAsync(ImageService + "ListImages", []);
            Record.All.Count.ShouldBe(1);
        }

        static async Task Answer(FakeCall call, byte[] message)
        {
            await call.ReadRequestAsync();
            await call.AnswerAsync(message);
        }

        static Task Failing(FakeCall call)
        {
            call.Fail(2, "no");
            return Task.CompletedTask;
        }
    }

    [Theory]
    [InlineData("sha256:ID")] // containerd
    [InlineData("ID")] // CRI-O lists no algorithm
    [InlineData("name with digest")] // what some runtimes answer a pull with
    public async Task What_is_still_there_is_known_whatever_the_runtime_answers_pulls_with(string imageRef)
    {
        await Start();
        var hex = new string('a', 64);
        var image = new FakeImage(imageRef == "ID" ? hex : $"sha256:{hex}", [], [AtFirst($"nginx@{Digest('d')}")]);
        Runtime.Images.Add(image);
        var reference = imageRef switch { "name with digest" => AtFirst($"nginx@{Digest('d')}"), _ => $"sha256:{hex}" };
        Record.Add(new RecordedPull("nginx:1", AtFirst("nginx:1"), First.Host, reference, Time.GetUtcNow(), PulledWith.Nothing));
        await List();
        Record.All.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("ImageStatus")]
    [InlineData("ListImages")]
    public async Task A_look_up_that_misses_forgets(string method)
    {
        await Start();
        var image = Pulled("nginx:1", "former.local/nginx:1");
        Pulled("redis:7", AtFirst("redis:7"));
        Runtime.Images.Remove(image);
        await Caller.CallAsync(ImageService + method, method == "ListImages" ? Filter("nginx:1") : Field(1, Field(1, "nginx:1")));
        Record.All.Select(pull => pull.Given).ShouldBe(["redis:7"]);
    }

    [Theory]
    [InlineData("ImageStatus")]
    [InlineData("ListImages")]
    public async Task But_not_what_is_pulled_again_while_the_runtime_looks(string method)
    {
        await Start();
        Runtime.Images.Remove(Pulled("nginx:1", "former.local/nginx:1"));
        Runtime.On(ImageService + method, async call =>
        {
            if (FindText(await call.ReadRequestAsync(), method == "ListImages" ? [1, 1, 1] : [1, 1]) == "former.local/nginx:1")
                Pulled("nginx:1", "former.local/nginx:1"); // by somebody else, just when the runtime has looked
            await call.AnswerAsync([]);
        });
        await Caller.CallAsync(ImageService + method, method == "ListImages" ? Filter("nginx:1") : Field(1, Field(1, "nginx:1")));
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_runtime_that_cannot_say_forgets_nothing()
    {
        await Start();
        Pulled("nginx:1", "former.local/nginx:1");
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            if (FindText(await call.ReadRequestAsync(), 1, 1) == "nginx:1")
                await call.AnswerAsync([]);
            else
                call.Fail(14, "not now");
        });
        await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, "nginx:1")));
        Record.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task With_actual_names_lists_are_none_of_our_business_and_the_record_stays()
    {
        await Start(adjust: settings => settings with { Names = ShownNames.Actual });
        Runtime.Images.Remove(Pulled("nginx:1", AtFirst("nginx:1")));
        Runtime.Images.Add("elsewhere.local/x:1");
        await List();
        Record.All.Count.ShouldBe(1);
    }
}
