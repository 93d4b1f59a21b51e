using ImageCriShim.Images;

namespace ImageCriShim.Tests.Images;

/// <summary>As github.com/containerd/platforms decides it.</summary>
public sealed class PlatformTests
{
    [Theory]
    [InlineData("linux/amd64", "linux/amd64 linux/386 linux/x86_64 linux/i386 linux/amd64/v1 LINUX/AMD64")]
    [InlineData("linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/386")]
    [InlineData("linux/arm64", "linux/arm64 linux/aarch64 linux/arm64/v8 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5 linux/arm linux/armhf linux/armel")]
    [InlineData("linux/arm64/v9", "linux/arm64/v8 linux/arm64/v9 linux/arm64/v8.2 linux/arm/v7")]
    [InlineData("linux/arm/v7", "linux/arm linux/arm/v7 linux/arm/v6 linux/arm/v5 linux/armhf")]
    [InlineData("linux/s390x", "linux/s390x")]
    public void A_node_runs_its_own_and_lower_ones(string node, string images) =>
        images.Split(' ').Where(image => !Parse(node).Runs(Parse(image))).ShouldBeEmpty();

    [Theory]
    [InlineData("linux/amd64", "linux/arm64 linux/arm/v7 windows/amd64 linux/amd64/v2 linux/s390x linux/amd64/nonsense unknown/unknown")]
    [InlineData("linux/386", "linux/amd64")]
    [InlineData("linux/amd64/v3", "linux/amd64/v4")]
    [InlineData("linux/arm64", "linux/amd64 linux/arm/v9 linux/arm64/v9")]
    [InlineData("linux/arm/v6", "linux/arm linux/arm/v7 linux/arm64")]
    [InlineData("linux/s390x", "linux/ppc64le linux/386")]
    public void It_runs_no_other(string node, string images) =>
        images.Split(' ').Where(image => Parse(node).Runs(Parse(image))).ShouldBeEmpty();

    [Fact]
    public void This_node_runs_what_it_is()
    {
        Platform.OfThisNode.Os.ShouldBe("linux");
        Platform.OfThisNode.Runs(Platform.OfThisNode with { Variant = "" }).ShouldBeTrue();
    }

    [Fact]
    public void The_text_form_is_the_one_that_tools_take() => Parse("Linux/armhf").ToString().ShouldBe("linux/arm/v7");

    private static Platform Parse(string text) => text.Split('/') is [var os, var architecture, .. var rest]
        ? Platform.Normalize(os, architecture, rest.FirstOrDefault() ?? "")
        : throw new ArgumentException(text);
}
