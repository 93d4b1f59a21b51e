using ImageCriShim.Images;

namespace ImageCriShim.Tests.Images;

public sealed class ImageIdTests
{
    private static readonly string Hex = new('a', 64);

    [Fact]
    public void Sixty_four_hex_digits_are_an_id_with_and_without_the_algorithm()
    {
        ImageId.IsId(Hex).ShouldBeTrue();
        ImageId.IsId($"sha256:{Hex}").ShouldBeTrue();
    }

    [Theory]
    [InlineData("nginx")]
    [InlineData("nginx:1.25")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:abcdef")]
    [InlineData("deadbeef")]
    [InlineData("")]
    public void Names_and_short_ids_are_not(string image) => ImageId.IsId(image).ShouldBeFalse();

    [Fact]
    public void Wrong_lengths_upper_case_and_other_algorithms_are_not()
    {
        ImageId.IsId(Hex + "a").ShouldBeFalse();
        ImageId.IsId(Hex[1..]).ShouldBeFalse();
        ImageId.IsId(Hex.ToUpperInvariant()).ShouldBeFalse();
        ImageId.IsId($"sha512:{Hex}{Hex}").ShouldBeFalse();
        ImageId.IsId($"nginx@sha256:{Hex}").ShouldBeFalse();
    }
}
