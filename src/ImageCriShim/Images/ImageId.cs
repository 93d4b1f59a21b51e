namespace ImageCriShim.Images;

/// <summary>
/// IDs that the runtime gives to images. They are never treated as names: an ID says nothing about a registry. Short IDs
/// look like names of Docker Hub and only the runtime can tell them apart, which is why it is asked first.
/// </summary>
internal static class ImageId
{
    private const string Prefix = "sha256:";
    private const int HexLength = 64;

    /// <summary>
    /// What tells an image, whatever a runtime writes around it: CRI-O gives IDs without their algorithm, docker answers a pull with a name and a
    /// digest. Text that is neither stays as it is.
    /// </summary>
    public static ReadOnlySpan<char> HexOf(ReadOnlySpan<char> imageRef)
    {
        imageRef = imageRef[(imageRef.LastIndexOf('@') + 1)..];
        return imageRef.StartsWith(Prefix, StringComparison.Ordinal) ? imageRef[Prefix.Length..] : imageRef;
    }

    /// <summary>The ID in each of its spellings: of one without its algorithm docker knows nothing.</summary>
    public static string[] Spell(string id) => id.StartsWith(Prefix, StringComparison.Ordinal) ? [id] : [id, Prefix + id];

    public static bool IsId(string image)
    {
        var hex = image.AsSpan();
        if (hex.StartsWith(Prefix, StringComparison.Ordinal))
            hex = hex[Prefix.Length..];
        return hex.Length == HexLength && ReferenceGrammar.IsHex(hex);
    }
}
