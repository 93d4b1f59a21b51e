using System.Collections.Immutable;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImageCriShim.Tests.Rewriting;

public sealed class CandidatesTests
{
    private static readonly string Digest = "sha256:" + new string('a', 64);

    private static readonly Registry Hub = ResolveCase.Configured("http://sealos.hub:5000", 1000) with
    {
        IsOffline = true,
        Credentials = new InlineCredential(new Credential.Password("admin", "passw0rd"), "auth"),
    };

    private static readonly Registry Quay = ResolveCase.Configured("quay.io", 500, "robot:t0ken");
    private static readonly Registry DockerHub = ResolveCase.Configured("docker.io", 500, "me:pw");

    [Theory]
    [InlineData("nginx:1.25", "sealos.hub:5000/library/nginx:1.25|nginx:1.25")]
    [InlineData("nginx", "sealos.hub:5000/library/nginx:latest|nginx")]
    [InlineData("registry.k8s.io/pause:3.9", "sealos.hub:5000/pause:3.9|registry.k8s.io/pause:3.9")]
    [InlineData("quay.io/team/app:v1", "sealos.hub:5000/team/app:v1|quay.io/team/app:v1")]
    [InlineData("sealos.hub:5000/library/nginx:1", "sealos.hub:5000/library/nginx:1")]
    [InlineData("Malformed/NAME", "Malformed/NAME")]
    [InlineData("", "")]
    public void The_registries_come_by_priority_and_then_the_name_as_given(string image, string candidates) =>
        Names(image, Hub, Quay).ShouldBe(candidates);

    [Fact]
    public void Ids_are_never_rewritten()
    {
        Names(Digest, Hub).ShouldBe(Digest);
        Names(new string('a', 64), Hub).ShouldBe(new string('a', 64));
    }

    [Fact]
    public void A_digest_is_kept_at_every_registry() =>
        Names($"nginx:1.25@{Digest}", Hub).ShouldBe($"sealos.hub:5000/library/nginx@{Digest}|nginx:1.25@{Digest}");

    [Fact]
    public void An_origin_that_is_configured_has_its_place_by_priority() =>
        Names("quay.io/team/app:v1", Quay with { Priority = 1001 }, Hub).ShouldBe("quay.io/team/app:v1|sealos.hub:5000/team/app:v1");

    [Fact]
    public void With_offlineOnly_the_name_as_given_is_left_out()
    {
        var resolver = Make(s => s with { OfflineOnly = true }, Hub, Quay);

        resolver.Candidates("nginx").ShouldHaveSingleItem().Image.ShouldBe("sealos.hub:5000/library/nginx:latest");
        resolver.Candidates(Digest).ShouldHaveSingleItem().Image.ShouldBe(Digest); // never was ours
    }

    [Fact]
    public void An_excluded_image_is_only_as_given()
    {
        var resolver = Make(s => s with { Exclude = [ResolveCase.Pattern("quay.io/team")] }, Hub, Quay);

        resolver.Candidates("quay.io/team/app:v1").ShouldHaveSingleItem().IsAsGiven.ShouldBeTrue();
        resolver.Candidates("quay.io/other/app:v1").Count.ShouldBe(2);
    }

    [Fact]
    public void A_rewritten_name_carries_the_credential_and_address_of_its_registry()
    {
        var candidate = Make(s => s, Hub).Candidates("nginx")[0];

        candidate.IsAsGiven.ShouldBeFalse();
        candidate.Registry?.Credentials.ShouldBe(Hub.Credentials);
        candidate.ServerAddress.ShouldBe("http://sealos.hub:5000");
    }

    [Theory]
    [InlineData("quay.io/team/app", "https://quay.io", "robot:***")]
    [InlineData("nginx", "https://registry-1.docker.io", "me:***")]
    [InlineData("index.docker.io/library/nginx", "https://registry-1.docker.io", "me:***")]
    [InlineData("ghcr.io/a/b", "https://ghcr.io", null)]
    [InlineData("sealos.hub:5000/a", "http://sealos.hub:5000", "admin:***")]
    [InlineData("[::1]:5000/a", "https://[::1]:5000", null)]
    [InlineData("Malformed/NAME", "", null)]
    public void As_given_a_configured_registry_of_that_host_lends_its_credential(string image, string server, string? credential)
    {
        var candidate = Make(s => s, Hub, Quay, DockerHub).Candidates(image).Single(c => c.IsAsGiven);

        candidate.Image.ShouldBe(image);
        candidate.ServerAddress.ShouldBe(server);
        candidate.Registry?.Credentials?.ToString().ShouldBe(credential);
    }

    [Theory]
    [InlineData("harbor.corp/team-a/app", "a:***")]
    [InlineData("harbor.corp/team-a/sub/app", "a/sub:***")]
    [InlineData("harbor.corp/team-b/app", "b:***")]
    [InlineData("harbor.corp/team-bee/app", "everybody:***")] // a path is whole segments
    [InlineData("harbor.corp/other/app", "everybody:***")]
    public void An_image_that_names_a_host_with_several_accounts_goes_with_the_one_whose_path_fits_best(string image, string account)
    {
        var registries = Accounts("harbor.corp", "harbor.corp/team-a", "harbor.corp/team-a/sub", "harbor.corp/team-b");

        var atRegistries = Make(s => s, registries).Candidates(image).Single();
        var excluded = Make(s => s with { Exclude = [ResolveCase.Pattern("harbor.corp")] }, registries).Candidates(image).Single();

        AccountOf(atRegistries).ShouldBe(account);
        AccountOf(excluded).ShouldBe(account);
    }

    [Fact]
    public void An_account_of_another_path_is_not_lent()
    {
        var registries = Accounts("http://harbor.corp/team-a", "http://harbor.corp/team-b");

        foreach (var resolver in new[] { Make(s => s, registries), Make(s => s with { Exclude = [ResolveCase.Pattern("*")] }, registries) })
        {
            var candidate = resolver.Candidates("harbor.corp/other/app").Single();
            AccountOf(candidate).ShouldBeNull();
            candidate.Registry?.ForwardPullSecrets.ShouldBe(false);
            candidate.ServerAddress.ShouldBe("http://harbor.corp");
        }
    }

    [Fact]
    public void The_entry_whose_path_fits_gives_its_place_too()
    {
        var registries = Accounts("harbor.corp/team-a", "harbor.corp/team-b");

        Names("harbor.corp/team-b/app:1", registries[0] with { Priority = 900 }, Hub with { Priority = 600 }, registries[1])
            .ShouldBe("sealos.hub:5000/team-b/app:1|harbor.corp/team-b/app:1");
    }

    [Theory]
    [InlineData("SEALOS.hub:5000/team/app", "http://SEALOS.hub:5000")]
    [InlineData("Quay.IO/team/app", "https://Quay.IO")]
    public void The_server_address_spells_the_host_as_the_image_does_because_containerd_compares_letters(string image, string server) =>
        Make(s => s, Hub, Quay).Candidates(image).Single(c => c.IsAsGiven).ServerAddress.ShouldBe(server);

    [Fact]
    public void Two_entries_for_one_host_ask_once_for_an_image_that_names_the_host()
    {
        var one = ResolveCase.Configured("harbor.corp/a", 600);
        var other = ResolveCase.Configured("harbor.corp/b", 700);

        Names("harbor.corp/x/y:1", other, one).ShouldBe("harbor.corp/x/y:1");
        Names("nginx:1", other, one).ShouldBe("harbor.corp/b/library/nginx:1|harbor.corp/a/library/nginx:1|nginx:1");
    }

    /// <summary>Each with an account called as the last word of its address, and priority by place: the first is the highest.</summary>
    private static Registry[] Accounts(params string[] addresses) =>
        [.. addresses.Select((address, i) => ResolveCase.Configured(address, 800 - i, $"{NameOf(address)}:secret"))];

    private static string NameOf(string address) => address.Split("harbor.corp")[1].Replace("/team-", "") is { Length: > 0 } name ? name : "everybody";

    private static string? AccountOf(Candidate candidate) => candidate.Registry?.Credentials?.ToString();

    private static string Names(string image, params Registry[] registries) =>
        string.Join("|", Make(s => s, registries).Candidates(image).Select(c => c.Image));

    private static Resolver Make(Func<ShimSettings, ShimSettings> adjust, params Registry[] registries) =>
        new(
            adjust(new ShimSettings { Registries = registries.ToImmutableArray() }),
            new Outages(new RegistryClient(TimeProvider.System), TimeProvider.System, NullLogger.Instance),
            TimeProvider.System);
}
