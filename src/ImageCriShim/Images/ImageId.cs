namespace ImageCriShim.Images;

/// <summary>
/// IDs that the runtime gives to images. They are never treated as names: an ID says nothing about a registry. Short IDs
/// look like names of Docker Hub and only the runtime can tell them apart, which is why it is asked first.
/// </summary>
internal static class ImageId
{
    private const string Prefix = "sha256:";
    private const int HexLength = 64;

    public static bool IsId(string image)
    {
        var hex = image.AsSpan();
        if (hex.StartsWith(Prefix, StringComparison.Ordinal))
            hex = hex[Prefix.Length..];
        return hex.Length == HexLength && ReferenceGrammar.IsHex(hex);
    }
}
