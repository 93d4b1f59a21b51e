using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class ImageGlobTests
{
    // The rules of kubelet's URLsMatch.
    [Theory]
    [InlineData("registry.io", "registry.io/a/b", true)]
    [InlineData("registry.io", "REGISTRY.io/a/b", true)]
    [InlineData("registry.io:8080", "registry.io:8080/a", true)]
    [InlineData("registry.io:8080", "registry.io/a", false)]
    [InlineData("registry.io", "registry.io:8080/a", false)]
    [InlineData("*.registry.io", "a.registry.io/b", true)]
    [InlineData("*.registry.io", "a.b.registry.io/c", false)]
    [InlineData("*.registry.io", "registry.io/a", false)]
    [InlineData("*.*.registry.io", "a.b.registry.io/c", true)]
    [InlineData("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.eu-west-1.amazonaws.com/app", true)]
    [InlineData("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.cn-north-1.amazonaws.com.cn/app", false)]
    [InlineData("regis*.io", "registry.io/a", true)]
    [InlineData("*.registry.io:8080/team", "a.registry.io:8080/team/app", true)]
    [InlineData("https://registry.io/v2/", "registry.io/a", true)]
    [InlineData("http://registry.io/v1/team", "registry.io/team/a", true)]
    [InlineData("docker.io", "docker.io/library/nginx", true)]
    [InlineData("https://index.docker.io/v1/", "nginx", true)]
    [InlineData("registry-1.docker.io", "index.docker.io/library/nginx", true)]
    [InlineData("[::1]:5000", "[::1]:5000/app", true)]
    [InlineData("[::1]", "[::1]:5000/app", false)]
    public void A_host_matches_label_by_label(string glob, string image, bool matches)
    {
        Matches(glob, image, wholeSegments: false).ShouldBe(matches);
        Matches(glob, image, wholeSegments: true).ShouldBe(matches);
    }

    [Theory]
    [InlineData("harbor.corp/team", "harbor.corp/team/app", true, true)]
    [InlineData("harbor.corp/team", "harbor.corp/team", true, true)]
    [InlineData("harbor.corp/team/", "harbor.corp/team/app", true, true)]
    [InlineData("harbor.corp/team", "harbor.corp/teams/app", true, false)] // kubelet compares letters
    [InlineData("harbor.corp/team", "harbor.corp/other/app", false, false)]
    [InlineData("harbor.corp/team/app", "harbor.corp/team", false, false)]
    [InlineData("harbor.corp/", "harbor.corp/team", true, true)]
    public void A_path_is_the_beginning_of_the_repository(string glob, string image, bool forKubelet, bool forUs)
    {
        Matches(glob, image, wholeSegments: false).ShouldBe(forKubelet);
        Matches(glob, image, wholeSegments: true).ShouldBe(forUs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("/team")]
    [InlineData("a host")]
    public void Without_a_host_it_is_none(string text) => ImageGlob.TryParse(text, out _).ShouldBeFalse();

    private static bool Matches(string text, string image, bool wholeSegments)
    {
        ImageGlob.TryParse(text, out var glob).ShouldBeTrue();
        return glob.Matches(AuthCase.Image(image), wholeSegments);
    }
}
