using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// What <c>block</c> and <c>offlineOnly</c> forbid stays forbidden however a name is spelled, and in every call that names an image.
/// </summary>
public sealed class ForbiddingBySpelling : PullTest
{
    private const string CreateContainer = "/runtime.v1.RuntimeService/CreateContainer";

    private static readonly string Id = "sha256:" + new string('a', 64);

    public ForbiddingBySpelling()
    {
        Prepare();
        Expect("not pulled");
        Expect("pull of ");
        Runtime.Images.OnlyPulls.Clear(); // it pulls whatever it is told to
    }

    public static TheoryData<string> SpellingsOfDockerHub =>
    [
        "nginx", "docker.io/library/nginx", "Docker.io/library/nginx", "DOCKER.IO/library/nginx:1", "index.docker.io/library/nginx",
        "Index.Docker.io/library/nginx",
        "Registry-1.docker.io/library/nginx", "registry-1.docker.io:443/library/nginx", "registry-1.docker.io:000443/library/nginx",
        "registry.hub.docker.com/library/nginx", "docker.io:443/library/nginx", "docker.io:80/library/nginx", "Docker.io/nginx",
    ];

    [Theory, MemberData(nameof(SpellingsOfDockerHub))]
    public async Task A_blocked_host_is_blocked_in_each_of_its_spellings(string image)
    {
        await Start(adjust: With(block: "docker.io"));
        await ShouldBeRefused(image);
    }

    [Theory]
    [InlineData("quay.io", "quay.io:443/team/app:1")]
    [InlineData("quay.io/team", "Quay.IO:443/team/app:1")]
    [InlineData("quay.io:443", "quay.io/team/app:1")]
    [InlineData("[2001:db8::1]:5000", "[2001:DB8:0:0:0:0:0:1]:5000/app:1")]
    [InlineData("*.evil.test", "a_b.evil.test/app:1")]
    [InlineData("*", "a_b.evil.test/app:1")]
    [InlineData("*", "Not//A-Name")]
    [InlineData("*", "evil.test./app:1")]
    public async Task A_rule_compares_hosts_and_not_their_spellings(string block, string image)
    {
        await Start(adjust: With(block));
        await ShouldBeRefused(image);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Not//A-Name")]
    [InlineData("a_b.evil.test:5000/app")]
    [InlineData("evil.test./app:1")]
    [InlineData("http://evil.test/app:1")]
    [InlineData("evil.test/app@sha256:12")]
    public async Task With_offlineOnly_a_name_that_does_not_parse_is_refused(string image)
    {
        await Start(adjust: settings => settings with { OfflineOnly = true });
        await ShouldBeRefused(image);
    }

    [Fact]
    public async Task With_offlineOnly_a_path_that_runtimes_take_a_host_from_is_pulled_from_the_registries_alone()
    {
        First.Add("app", "1");
        await Start(adjust: settings => settings with { OfflineOnly = true });

        (await Pull("a_b.evil.test/app:1")).Status.ShouldBe(0);
        (await Pull("a_b.evil.test/other:1")).Status.ShouldNotBe(0);
        Pulls.ShouldAllBe(pull => pull.StartsWith("first.local/") || pull.StartsWith("second.local/"));
    }

    // containerd reads "sha256:<hex>" in a pull as docker.io/library/sha256:<hex>, a tag.
    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "docker.io")]
    [InlineData(false, "*")]
    public async Task An_ID_that_a_runtime_would_pull_as_a_name_of_Docker_Hub_is_refused(bool offlineOnly, string block)
    {
        await Start(adjust: settings => With(block)(settings) with { OfflineOnly = offlineOnly });
        await ShouldBeRefused(Id);
    }

    [Fact]
    public async Task A_host_that_is_longer_than_any_is_refused_while_anything_is_blocked()
    {
        await Start(adjust: With("evil.test"));
        await ShouldBeRefused($"evil.test:{new string('0', 300)}443/app:1");
    }

    [Theory]
    [InlineData("Not//A-Name")]
    [InlineData("docker.io/library/nginx:1")]
    public async Task What_no_rule_is_about_goes_on(string image)
    {
        await Start(adjust: With("quay.io"));
        (await Pull(image)).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_blocked_name_is_not_found_by_the_flat_path_of_another_image_nor_under_itself()
    {
        await Start(adjust: With("quay.io"));
        Runtime.Images.Add($"{First.Host}/team/app:1.0"); // came from elsewhere
        Runtime.Images.Add("quay.io/team/preloaded:1.0");

        (await FindId("elsewhere.local/team/app:1.0")).ShouldNotBeEmpty();
        (await FindId("quay.io/team/app:1.0")).ShouldBeEmpty();
        (await FindId("Quay.io:443/team/app:1.0")).ShouldBeEmpty();
        (await FindId("quay.io/team/preloaded:1.0")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("team/app", false)]
    [InlineData("team", false)]
    [InlineData("team/app", true)]
    public async Task A_name_at_a_registry_is_judged_as_well(string path, bool offlineOnly)
    {
        First.Add("team/app", "1.0");
        Second.Add("team/app", "1.0");
        await Start(adjust: settings => With($"{First.Host}/{path}")(settings) with { OfflineOnly = offlineOnly });
        Runtime.Images.Add($"{First.Host}/team/app:1.0");

        (await FindId("elsewhere.local/team/app:1.0")).ShouldBeEmpty();
        (await Pull("elsewhere.local/team/app:1.0")).Status.ShouldBe(0);
        Pulls.Select(pull => pull.Split(' ')[0]).ShouldBe(["second.local/team/app:1.0"]);
        First.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_image_whose_every_name_at_a_registry_is_blocked_is_refused_where_it_may_come_from_nowhere_else()
    {
        First.Add("team/app", "1.0");
        await Start(adjust: settings => With($"{First.Host}/team, {Second.Host}/team")(settings) with { OfflineOnly = true });
        await ShouldBeRefused("elsewhere.local/team/app:1.0");
    }

    [Fact]
    public async Task IDs_are_no_names_and_are_found_whatever_is_blocked()
    {
        await Start(adjust: settings => With("*")(settings) with { OfflineOnly = true });
        var image = Runtime.Images.Add("elsewhere.local/app:1");
        foreach (var id in new[] { image.Id, image.Id["sha256:".Length..], image.Id["sha256:".Length..][..12] })
            (await FindId(id)).ShouldBe(image.Id);
    }

    [Fact]
    public async Task A_blocked_image_is_not_removed_under_the_name_of_another()
    {
        await Start(adjust: With("quay.io"));
        Runtime.Images.Add($"{First.Host}/team/app:1.0");
        await Remove("quay.io/team/app:1.0");
        Runtime.Images.All.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("quay.io/team/app:1.0", null, false)]
    [InlineData("Quay.io:443/team/app:1.0", null, false)]
    [InlineData("id", "quay.io/team/app:1.0", false)]
    [InlineData("id", "id", true)]
    [InlineData("id", null, true)]
    [InlineData("short id", null, true)]
    [InlineData("elsewhere.local/team/app:1.0", "short id", true)]
    public async Task No_container_is_made_of_a_blocked_image_and_no_volume(string image, string? volume, bool isMade)
    {
        await Start(adjust: With("quay.io, docker.io"));
        var there = Runtime.Images.Add($"{First.Host}/team/app:1.0");
        var made = new List<byte[]>();
        Runtime.On(CreateContainer, async call =>
        {
            made.Add(await call.ReadRequestAsync());
            await call.AnswerAsync(Field(1, "container"));
        });
        var (named, mounted) = (InPlace(image), volume is null ? [] : Field(7, Field(9, Field(1, InPlace(volume)))));

        var answer = await Caller.CallAsync(CreateContainer, Field(2, Message(Field(2, Field(1, named)), mounted)));

        answer.Status.ShouldBe(isMade ? 0 : 7, answer.Message);
        made.Count.ShouldBe(isMade ? 1 : 0);

        string InPlace(string word) => word switch { "id" => there.Id, "short id" => there.Id["sha256:".Length..][..12], _ => word };
    }

    private static Func<ShimSettings, ShimSettings> With(string block) => settings => settings with
    {
        Block = [.. block.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(ResolveCase.Pattern)],
    };

    private async Task ShouldBeRefused(string image)
    {
        var answer = await Pull(image);
        answer.Status.ShouldBe(7, $"{image}: {answer.Message}");
        Runtime.CallsOf("PullImage").Where(call => call.Image.Length > 0).ShouldBeEmpty();
        (await FindIdOrNothing(image)).ShouldBeEmpty();
    }

    private async Task<string> FindIdOrNothing(string image) => image.Length == 0 ? "" : await FindId(image);
}
