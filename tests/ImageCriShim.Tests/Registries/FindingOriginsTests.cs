using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Registries;

/// <summary>From the name at a registry back to the one that was asked for.</summary>
public sealed class FindingOriginsTests
{
    private static readonly string s_digest = "sha256:" + new string('a', 64);

    private static readonly string[] s_domains =
        ["docker.io", "quay.io", "gcr.io", "eu.gcr.io", "hub.corp:5000", "localhost", "localhost:5000", "10.0.0.1:443", "a-b.example", "harbor.corp", "[::1]:5000", "UPPER.corp"];

    private static readonly string[] s_paths =
        ["nginx", "library/nginx", "a/b", "a/b/c", "quay.io/a/b", "docker.io/library/x", "mirror/a", "x__y/z-w", "a/mirror/b", "library/a/b", "localhost_5000/x", "docker.io/x"];

    private static readonly string[] s_tails = ["", ":1.0", $"@{s_digest}", $":1.0@{s_digest}"];

    private static readonly string[] s_templates =
    [
        "{repository}", "mirror/{repository}", "{repository}/mirror", "{registry}/{repository}", "mirror/{registry}/{repository}", "{registry}/x/{repository}",
        "m-{registry}/{repository}", "m-{registry}-n/{repository}", "{repository}/{registry}", "{repository}/x-{registry}-y", "a/{repository}/b", "{registry}-{repository}",
        "{registry}/{repository}/{registry}", "{repository}{registry}", "{name}", "{registry}/{name}", "x/{name}/{repository}", "{repository}-v", "{repository}/{repository}",
    ];

    private static readonly string[] s_images = ["", "docker.io", "quay.io", "quay.io/a", "docker.io quay.io", "*.gcr.io", "*", "docker.io/library", "hub.corp:5000"];

    private static readonly string[] s_addresses = ["harbor.corp", "harbor.corp/cache", "harbor.corp/library", "harbor.corp:8443/a/b", "docker.io", "quay.io"];

    [Fact]
    public void What_is_found_is_what_was_asked_for_or_a_name_that_would_lie_at_the_very_same_place()
    {
        var random = new Random(20260101);
        var found = 0;
        for (var round = 0; round < 60_000; round++)
        {
            var registry = Random(random);
            var asked = Parse($"{Of(s_domains)}/{Of(s_paths)}{Of(s_tails)}");
            if (!registry.Serves(asked) || registry.Spell(asked) is not { } here)
                continue;
            var origin = registry.FindOrigin(here);
            if (origin is null)
                continue;
            var situation = $"{asked} at {registry} with {registry.Path} for [{string.Join(' ', registry.Images)}] is {here}, from there {origin}";
            ShouldSpellBack(registry, here, origin, situation);
            if (TellsItsOrigin(registry) && !asked.IsAt(registry.Host) && !IsGivenLibrary(registry, asked))
                origin.Kept.ShouldBe(asked.Kept.Replace("UPPER", "upper"), situation); // a path has no capitals
            found++;
        }

        found.ShouldBeGreaterThan(5000);

        string Of(string[] words) => words[random.Next(words.Length)];
    }

    [Fact]
    public void Of_any_name_at_all_it_is_never_one_that_does_not_spell_back()
    {
        var random = new Random(20260102);
        string[] pieces = [.. s_paths, .. s_domains.Select(domain => domain.Replace(':', '_').ToLowerInvariant()), "cache", "m-quay.io", "m-quay.io-n", "x", "x-quay.io-y", "library", "mirror", "b"];
        var found = 0;
        for (var round = 0; round < 60_000; round++)
        {
            var registry = Random(random);
            var path = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (!Reference.TryParse($"{registry.Host}/{path}{s_tails[random.Next(s_tails.Length)]}", out var here) || registry.FindOrigin(here) is not { } origin)
                continue;
            ShouldSpellBack(registry, here, origin, $"{here} at {registry} with {registry.Path} for [{string.Join(' ', registry.Images)}] from {origin}");
            found++;
        }

        found.ShouldBeGreaterThan(200);
    }

    [Theory]
    [InlineData("{repository}", "a/b", null, "a/b")]
    [InlineData("mirror/{repository}", "mirror/a/b", null, "a/b")]
    [InlineData("mirror/{repository}", "mirrors/a/b", null, null)]
    [InlineData("{registry}/{repository}", "quay.io/a/b", "quay.io", "a/b")]
    [InlineData("{registry}/{repository}", "hub.corp_5000/a/b", "hub.corp:5000", "a/b")]
    [InlineData("m-{registry}/{repository}", "m-quay.io/a", "quay.io", "a")]
    [InlineData("{repository}/{registry}", "a/b/quay.io", "quay.io", "a/b")]
    [InlineData("{repository}/x-{registry}-y", "a/x-quay.io-y", "quay.io", "a")]
    [InlineData("{registry}/{repository}", "a", null, null)]
    [InlineData("{registry}{repository}", "quay.ioa", null, null)] // where does the one end?
    [InlineData("{name}", "a", null, null)]
    public void A_template_is_matched_backwards(string template, string path, string? registry, string? repository)
    {
        PathTemplate.TryParse(template, out var parsed).ShouldBeTrue();
        parsed.TryMatch(path, out var origin, out var found).ShouldBe(repository is not null);
        if (repository is not null)
            (origin, found).ShouldBe((registry, repository));
    }

    private static void ShouldSpellBack(Registry registry, Reference here, Reference origin, string situation)
    {
        registry.Spell(origin)!.Kept.ShouldBe(here.Kept, situation);
        registry.Serves(origin).ShouldBeTrue(situation);
        origin.IsAt(registry.Host).ShouldBeFalse(situation);
    }

    /// <summary>Elsewhere <c>library/</c> stands for Docker Hub, which is likely and not certain.</summary>
    private static bool TellsItsOrigin(Registry registry) =>
        registry.Path.ToString().Contains("{registry}", StringComparison.Ordinal)
        || (registry.Images is [var only] && !only.ToString().StartsWith('*'));

    /// <summary>Docker Hub as a mirror of another registry: its own grammar makes one name of <c>x</c> and <c>library/x</c>.</summary>
    private static bool IsGivenLibrary(Registry registry, Reference asked) => registry.Host == Reference.DockerHub && !asked.Repository.Contains('/');

    private static Registry Random(Random random)
    {
        return ResolveCase.Configured($"https://{Of(s_addresses)}", 500) with
        {
            Path = PathTemplate.TryParse(Of(s_templates), out var template) ? template : PathTemplate.Default,
            Images = [.. Of(s_images).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ResolveCase.Pattern)],
        };

        string Of(string[] words) => words[random.Next(words.Length)];
    }

    private static Reference Parse(string name)
    {
        Reference.TryParse(name, out var reference).ShouldBeTrue(name);
        return reference;
    }
}
