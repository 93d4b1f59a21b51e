using System.Text.Json;
using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim resolve</c>, as an operator types it.</summary>
[Trait("suite", "endtoend")]
public sealed partial class Resolving : DaemonTest
{
    private const string Secret = "planted-resolve-1d07";

    private readonly FakeRegistry hub = FakeRegistry.Start();
    private readonly FakeRegistry mirror = FakeRegistry.Start();

    public Resolving()
    {
        AtEnd(hub);
        AtEnd(mirror);
    }

    [Fact]
    public async Task Shows_every_candidate_with_its_answer_time_and_credential()
    {
        hub.Account = ("admin", Secret);
        hub.Add("library/nginx", "1.25");
        mirror.Add("dockerhub/library/nginx", "1.25");

        var (code, output) = await Resolve("nginx:1.25");

        code.ShouldBe(0, output);
        AsPrinted(output).ShouldBe("""
            nginx:1.25 is docker.io/library/nginx:1.25

            candidate  answer  time  credential
            HUB/library/nginx:1.25  found  N ms  auth
            MIRROR/dockerhub/library/nginx:1.25  found  N ms  none
            nginx:1.25 (as given)  not asked  none

            pulled as: HUB/library/nginx:1.25, then MIRROR/dockerhub/library/nginx:1.25, then nginx:1.25
            reason: HUB found

            """, customMessage: output);
        output.ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Says_where_it_was_looked_for_and_ends_with_1_when_nothing_has_it()
    {
        mirror.Behave = _ => new FakeAnswer(503);
        var (code, output) = await Resolve("quay.io/team/app:2");
        code.ShouldBe(1);
        AsPrinted(output).ShouldContain("reason: at no registry: HUB missing, MIRROR unreachable (HTTP 503)");
        AsPrinted(output).ShouldContain("pulled as: quay.io/team/app:2\n");
    }

    [Theory]
    [InlineData("@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("@/etc/hostname")]
    public async Task Takes_no_argument_for_a_file_of_arguments(string image)
    {
        var (_, output) = await Resolve(image);
        AsPrinted(output).ShouldContain($"{image} (as given)");
        AsPrinted(output).ShouldContain("reason: not a well-formed image name");
    }

    [Fact]
    public async Task Writes_the_same_as_JSON()
    {
        var digest = hub.Add("library/nginx", "1.25");

        var (code, output) = await Resolve("nginx:1.25", "--output", "json");

        code.ShouldBe(0, output);
        using var json = JsonDocument.Parse(output);
        var root = json.RootElement;
        Text(root, "image").ShouldBe("nginx:1.25");
        Text(root, "reference").ShouldBe("docker.io/library/nginx:1.25");
        Text(root, "decision").ShouldBe("found");
        root.GetProperty("pull").EnumerateArray().Select(name => name.GetString()).ShouldBe([$"{hub.Host}/library/nginx:1.25", "nginx:1.25"]);
        var candidates = root.GetProperty("candidates").EnumerateArray().ToList();
        candidates.Select(line => Text(line, "result")).ShouldBe(["found", "missing", "not-asked"]);
        candidates.Select(line => line.GetProperty("asGiven").GetBoolean()).ShouldBe([false, false, true]);
        Text(candidates[0], "digest").ShouldBe(digest);
        candidates[0].GetProperty("priority").GetInt32().ShouldBe(1000);
        candidates[0].GetProperty("milliseconds").GetDouble().ShouldBeGreaterThan(0);
        Text(candidates[0], "credential").ShouldBe("auth");
        candidates[1].GetProperty("credential").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("ghcr.io/blocked/app:1", 1, "refused: ghcr.io/blocked/app:1 is blocked by this node's configuration (block: ghcr.io/blocked)")]
    [InlineData("ghcr.io/excluded/app:1", 0, "reason: excluded (ghcr.io/excluded)")]
    [InlineData("Not//A-Name", 0, "reason: not a well-formed image name")]
    public async Task Says_why_no_registry_is_asked(string image, int expected, string why)
    {
        var (code, output) = await Resolve(image);
        code.ShouldBe(expected, output);
        output.ShouldContain(why);
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Needs_a_usable_file()
    {
        File.WriteAllText(Directory.File("resolve.yaml"), "registrys: []\n");
        var (code, output) = await Run("resolve", "nginx", "-f", Directory.File("resolve.yaml"));
        code.ShouldBe(2);
        output.ShouldContain("did you mean registries?");
    }

    private async Task<(int Code, string Output)> Resolve(string image, params string[] options)
    {
        File.WriteAllText(Directory.File("resolve.yaml"), $$"""
            address: {{hub.Address}}
            auth: admin:{{Secret}}
            registries:
            - address: {{mirror.Address}}
              path: dockerhub/{repository}
            block: [ghcr.io/blocked]
            exclude: [ghcr.io/excluded]
            """);
        return await Run(["resolve", image, "--file", Directory.File("resolve.yaml"), .. options]);
    }

    /// <summary>Times and ports differ from run to run, and with the ports the widths.</summary>
    private string AsPrinted(string output) => Spaces().Replace(
        Time().Replace(output.Replace(hub.Host, "HUB").Replace(mirror.Host, "MIRROR"), "N ms"), "  ");

    private static string? Text(JsonElement element, string key) => element.GetProperty(key).GetString();

    [GeneratedRegex(@"\d+ ms")]
    private static partial Regex Time();

    [GeneratedRegex(" {3,}")]
    private static partial Regex Spaces();
}
