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
    public void What_could_be_misread_is_refused(string pattern) => ImagePattern.TryParse(pattern, out _).ShouldBeFalse();

    private static bool Matches(string pattern, string image)
    {
        ImagePattern.TryParse(pattern, out var parsed).ShouldBeTrue();
        Reference.TryParse(image, out var reference).ShouldBeTrue();
        return parsed.Matches(reference);
    }
}
