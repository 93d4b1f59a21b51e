using ImageCriShim.Images;

namespace ImageCriShim.Tests.Images;

/// <summary>As FamiliarString and ParseNormalizedNamed of distribution/reference have it.</summary>
public sealed class FamiliarNameTests
{
    [Theory]
    [InlineData("docker.io/library/nginx:1.25", "nginx:1.25")]
    [InlineData("docker.io/library/nginx@sha256:ab", "nginx@sha256:ab")]
    [InlineData("docker.io/library/nginx", "nginx")]
    [InlineData("docker.io/team/app:1", "team/app:1")]
    [InlineData("docker.io/library/team/app:1", "library/team/app:1")]
    [InlineData("quay.io/library/nginx:1", "quay.io/library/nginx:1")]
    [InlineData("hub.local:5000/nginx:1", "hub.local:5000/nginx:1")]
    [InlineData("localhost/nginx:1", "localhost/nginx:1")]
    [InlineData("HUB/nginx:1", "HUB/nginx:1")]
    [InlineData("", "")]
    public void A_name_is_written_short_and_read_back(string whole, string familiar)
    {
        FamiliarName.Of(whole).ToString().ShouldBe(familiar);
        FamiliarName.Complete(familiar).ShouldBe(whole);
    }
}
