using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>A pull of what no registry has leaves a note for whoever fills them.</summary>
public sealed class NotingMissingImages : PullTest
{
    public NotingMissingImages()
    {
        Prepare();
        Array.ForEach(["pull of ", "not pulled "], Expect);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the name as given brings it: it is to be mirrored all the same
    public async Task An_image_that_no_registry_has_is_noted_whether_or_not_it_comes_as_given(bool asGiven)
    {
        if (asGiven)
            CanPull(Image());
        await Start();
        await Pull(Image());
        var image = Missing.All.ShouldHaveSingleItem();
        (image.Image, image.First, image.Last).ShouldBe((Image(), Time.GetUtcNow(), Time.GetUtcNow()));
        image.Asked.ShouldBe([Image(First.Host), Image(Second.Host)]);
    }

    [Fact]
    public async Task It_is_forgotten_when_a_registry_has_it()
    {
        await Start();
        var begin = Time.GetUtcNow();
        await Pull(Image());
        Time.Advance(TimeSpan.FromMinutes(1));
        await Pull(Image());
        var image = Missing.All.ShouldHaveSingleItem();
        (image.First, image.Last).ShouldBe((begin, Time.GetUtcNow()));

        Second.Add("team/app", "1.0");
        CanPull(Image(Second.Host));
        Time.Advance(TimeSpan.FromMinutes(1));
        await PullRef(Image());
        Missing.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_a_registry_is_down_nothing_is_known()
    {
        await Start([At(First.Address), At($"http://{Down}")]);
        await Pull(Image());
        Missing.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(403, 1)]
    [InlineData(429, 0)]
    [InlineData(503, 0)]
    public async Task Who_would_not_give_it_counts_and_who_could_not_say_does_not(int status, int noted)
    {
        Second.Behave = _ => new FakeAnswer(status);
        await Start();
        await Pull(Image());
        Missing.All.Count.ShouldBe(noted);
    }

    [Fact]
    public async Task What_is_excluded_or_blocked_is_nobodys_to_mirror()
    {
        await Start(adjust: settings => settings with { Exclude = [ResolveCase.Pattern($"{OriginDown}/team")], Block = [ResolveCase.Pattern("quay.io")] });
        await Pull(Image());
        (await Pull("quay.io/a/b:1")).Status.ShouldBe(7);
        Missing.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_look_up_notes_nothing()
    {
        await Start();
        await FindId(Image());
        Missing.All.ShouldBeEmpty();
    }
}
