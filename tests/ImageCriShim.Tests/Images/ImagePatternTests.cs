using ImageCriShim.Images;

namespace ImageCriShim.Tests.Images;

public sealed class ImagePatternTests
{
    [Theory]
    [InlineData("docker.io", "nginx")]
    [InlineData("index.docker.io", "nginx")]
    [InlineData("docker.io/library", "nginx:1")]
    [InlineData("docker.io/nginx", "nginx:1")]
    [InlineData("docker.io/library/nginx", "nginx")]
    [InlineData("docker.io/bitnami", "bitnami/redis")]
    [InlineData("quay.io/team", "quay.io/team/app")]
    [InlineData("quay.io/team/", "quay.io/team/app")]
    [InlineData("quay.io/team/app", "quay.io/team/app:v1")]
    [InlineData("*.gcr.io", "us.gcr.io/p/i")]
    [InlineData("*.gcr.io/p", "a.b.gcr.io/p/i")]
    [InlineData("Quay.IO", "quay.io/a")]
    [InlineData("quay.io", "QUAY.io/a")]
    [InlineData("localhost:5000", "localhost:5000/x")]
    [InlineData("[::1]:5000/a", "[::1]:5000/a/b")]
    [InlineData("*", "anything/at/all")]
    [InlineData("*/team", "quay.io/team/app")]
    [InlineData("docker.io", "Registry-1.docker.io/library/nginx")]
    [InlineData("docker.io", "INDEX.docker.io/library/nginx")]
    [InlineData("docker.io", "registry-1.docker.io:443/library/nginx")]
    [InlineData("docker.io", "Docker.IO:00443/library/nginx")]
    [InlineData("docker.io", "docker.io:80/library/nginx")]
    [InlineData("docker.io", "registry.hub.docker.com/library/nginx")]
    [InlineData("docker.io/nginx", "Docker.io/nginx")]
    [InlineData("docker.io/library", "Docker.io/nginx")]
    [InlineData("Registry-1.Docker.io:443", "nginx")]
    [InlineData("quay.io", "quay.io:443/a")]
    [InlineData("quay.io", "quay.io:0443/a")]
    [InlineData("quay.io", "Quay.io:80/a")]
    [InlineData("quay.io:443", "quay.io/a")]
    [InlineData("quay.io:80", "quay.io/a")]
    [InlineData("quay.io.", "quay.io/a")]
    [InlineData("quay.io.:443/team", "quay.io/team/a")]
    [InlineData("*.gcr.io", "US.gcr.io:443/p/i")]
    [InlineData("*.gcr.io.", "us.gcr.io/p/i")]
    [InlineData("*.docker.io", "nginx")] // it is asked for at registry-1.docker.io
    [InlineData("hub.local:5000", "hub.local:05000/x")]
    [InlineData("[::1]:5000", "[0:0:0:0:0:0:0:1]:5000/x")]
    [InlineData("[2001:DB8::1]", "[2001:db8:0:0::1]:443/x")]
    [InlineData("[2001:db8:0::1]:443", "[2001:DB8::1]/x")]
    [InlineData("10.0.0.1:5000", "[::ffff:a00:1]:5000/x")]
    [InlineData("a_b.evil.test", "a_b.evil.test/app:1")]
    [InlineData("*.evil.test", "a_b.evil.test/app:1")]
    [InlineData("*", "a_b.evil.test/app:1")]
    public void A_pattern_covers(string pattern, string image) => Matches(pattern, image).ShouldBeTrue();

    [Theory]
    [InlineData("docker.io", "quay.io/nginx")]
    [InlineData("quay.io/team", "quay.io/teams/app")]
    [InlineData("quay.io/team/app", "quay.io/team/app2")]
    [InlineData("quay.io/nginx", "quay.io/library/nginx")]
    [InlineData("docker.io/nginx", "team/nginx")]
    [InlineData("*.gcr.io", "gcr.io/p/i")]
    [InlineData("*.gcr.io", "evilgcr.io/p/i")]
    [InlineData("localhost:5000", "localhost:5001/x")]
    [InlineData("sealos.hub", "sealos.hub:5000/x")]
    [InlineData("sealos.hub:80", "sealos.hub:443/x")]
    [InlineData("sealos.hub:443", "sealos.hub:4430/x")]
    [InlineData("docker.io", "registry-1.docker.io:5000/x/y")]
    [InlineData("docker.io", "notdocker.io/x/y")]
    [InlineData("docker.io", "a_b.docker.io/x/y")]
    [InlineData("*.docker.io", "quay.io/nginx")]
    [InlineData("[::1]", "[::2]/x")]
    public void A_pattern_does_not_cover(string pattern, string image) => Matches(pattern, image).ShouldBeFalse();

    [Theory]
    [InlineData("")]
    [InlineData("nginx")]
    [InlineData("library/nginx")]
    [InlineData("quay.io/team/*")]
    [InlineData("quay.io/team:v1")]
    [InlineData("quay.io//team")]
    [InlineData("quay.*")]
    [InlineData("*gcr.io")]
    [InlineData("https://quay.io")]
    [InlineData("quay.io..")]
    [InlineData("[::1")]
    [InlineData(".")]
    [InlineData("a___b.test")]
    public void What_could_be_misread_is_refused(string pattern) => ImagePattern.TryParse(pattern, out _).ShouldBeFalse();

    private static bool Matches(string pattern, string image)
    {
        ImagePattern.TryParse(pattern, out var parsed).ShouldBeTrue();
        Reference.TryParse(image, out var reference).ShouldBeTrue();
        return parsed.Matches(reference);
    }
}
