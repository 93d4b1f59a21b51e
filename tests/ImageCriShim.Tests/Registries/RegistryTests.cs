using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries;

public sealed class RegistryTests
{
    private static readonly string Digest = "sha256:" + new string('a', 64);

    [Theory]
    [InlineData("sealos.hub:5000", "{repository}", "nginx:1.25", "sealos.hub:5000/library/nginx:1.25")]
    [InlineData("sealos.hub:5000", "{repository}", "nginx", "sealos.hub:5000/library/nginx:latest")]
    [InlineData("sealos.hub:5000", "{repository}", "quay.io/team/app:v1", "sealos.hub:5000/team/app:v1")]
    [InlineData("harbor.corp", "dockerhub/{repository}", "nginx", "harbor.corp/dockerhub/library/nginx:latest")]
    [InlineData("harbor.corp/cache", "{registry}/{repository}", "quay.io/a/b", "harbor.corp/cache/quay.io/a/b:latest")]
    [InlineData("harbor.corp", "{registry}/{repository}", "myhost:5000/a/b", "harbor.corp/myhost_5000/a/b:latest")]
    [InlineData("harbor.corp", "flat/{name}", "quay.io/a/b/c:1", "harbor.corp/flat/c:1")]
    [InlineData("harbor.corp/dockerhub", "x/{repository}", "harbor.corp/team/app:1", "harbor.corp/team/app:1")] // it names this host itself
    [InlineData("docker.io", "{repository}", "nginx:1", "docker.io/library/nginx:1")]
    public void An_image_is_spelled_at_a_registry(string address, string path, string image, string spelled) =>
        Spell(address, path, image).ShouldBe(spelled);

    [Fact]
    public void The_digest_is_kept_and_the_tag_beside_it_is_left_out() =>
        Spell("sealos.hub:5000", "{repository}", $"nginx:1.25@{Digest}").ShouldBe($"sealos.hub:5000/library/nginx@{Digest}");

    [Theory]
    [InlineData("[::1]:5000/a/b")]
    public void An_image_whose_name_would_not_be_one_there_has_no_name_there(string image) =>
        Spell("harbor.corp", "{registry}/{repository}", image).ShouldBeNull();

    [Fact]
    public void A_name_that_would_be_too_long_there_has_no_name_there() =>
        Spell("harbor.corp", "mirror/{repository}", "quay.io/" + new string('a', 250)).ShouldBeNull();

    [Theory]
    [InlineData("sealos.hub:5000", "quay.io/a/b", true)]
    [InlineData("sealos.hub:5000", "nginx", true)]
    [InlineData("docker.io", "nginx", true)]
    [InlineData("registry-1.docker.io", "nginx", true)]
    [InlineData("docker.io", "quay.io/a/b", false)]
    [InlineData("docker.io", "registry.corp/team/secret", false)]
    [InlineData("quay.io", "nginx", false)]
    [InlineData("us.gcr.io", "gcr.io/p/i", false)]
    [InlineData("registry-1.docker.io:443", "registry.corp/secret-project/app", false)]
    [InlineData("Registry-1.Docker.io:443", "quay.io/a/b", false)]
    [InlineData("registry.hub.docker.com", "registry.corp/secret-project/app", false)]
    [InlineData("http://docker.io:80", "registry.corp/secret-project/app", false)]
    [InlineData("http://quay.io:443", "registry.corp/secret-project/app", false)]
    [InlineData("quay.io:443", "registry.corp/secret-project/app", false)]
    [InlineData("quay.io:00443", "registry.corp/secret-project/app", false)]
    [InlineData("GHCR.io:443", "registry.corp/secret-project/app", false)]
    [InlineData("registry-1.docker.io:443", "nginx", true)]
    [InlineData("docker.io", "Registry-1.docker.io:443/library/nginx", true)]
    [InlineData("quay.io:443", "quay.io/a/b", true)]
    [InlineData("quay.io", "quay.io:443/a/b", true)]
    [InlineData("quay.io:5000", "registry.corp/team/app", true)] // another program on that host
    [InlineData("mirror.gcr.io", "nginx", true)] // a mirror of Docker Hub, not an origin
    public void Without_rules_a_registry_is_asked_for_everything_unless_it_is_an_origin_of_its_own(string address, string image, bool asked) =>
        Registry(address).Serves(Parse(image)).ShouldBe(asked);

    [Theory]
    [InlineData("docker.io", "quay.io", "quay.io/a/b", true)]
    [InlineData("docker.io", "quay.io", "nginx", false)]
    [InlineData("docker.io", "*", "nginx", true)]
    [InlineData("harbor.corp", "docker.io", "nginx", true)]
    [InlineData("harbor.corp", "docker.io", "quay.io/a/b", false)]
    [InlineData("harbor.corp", "docker.io", "harbor.corp/team/app", false)]
    public void With_images_only_those_are_asked_for(string address, string images, string image, bool asked) =>
        (Registry(address) with { Images = [Pattern(images)] }).Serves(Parse(image)).ShouldBe(asked);

    [Fact]
    public void Exclude_goes_before_images()
    {
        var registry = Registry("harbor.corp") with { Images = [Pattern("quay.io")], Exclude = [Pattern("quay.io/team/secret")] };

        registry.Serves(Parse("quay.io/team/app")).ShouldBeTrue();
        registry.Serves(Parse("quay.io/team/secret/x")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("fixed/place")]
    [InlineData("{registry}")]
    [InlineData("{repo}/{name}")]
    [InlineData("Mirror/{repository}")]
    [InlineData("{repository}:{name}")]
    [InlineData("a//{name}")]
    [InlineData("")]
    public void A_template_that_cannot_work_is_refused(string template) => PathTemplate.TryParse(template, out _).ShouldBeFalse();

    [Fact]
    public void No_text_form_shows_a_secret()
    {
        var registry = Registry("harbor.corp") with
        {
            Credentials = new InlineCredential(Credential.Password.Split("admin:pa:ss"), "auth"),
            Tls = new TlsSettings { Certificate = "pem", Key = "key-secret" },
        };

        Credential.Password.Split("admin:pa:ss").ShouldBe(new Credential.Password("admin", "pa:ss"));
        registry.Credentials.ToString().ShouldBe("admin:***");
        $"{registry} {registry.Tls} {registry.Address}".ShouldNotContain("pa:ss");
        $"{registry} {registry.Tls} {registry.Address}".ShouldNotContain("key-secret");
    }

    private static string? Spell(string address, string path, string image)
    {
        PathTemplate.TryParse(path, out var template).ShouldBeTrue();
        return (Registry(address) with { Path = template }).Spell(Parse(image))?.ToString();
    }

    private static Registry Registry(string address)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        return new Registry(parsed!);
    }

    private static Reference Parse(string image)
    {
        Reference.TryParse(image, out var reference).ShouldBeTrue();
        return reference;
    }

    private static ImagePattern Pattern(string text)
    {
        ImagePattern.TryParse(text, out var pattern).ShouldBeTrue();
        return pattern;
    }
}
