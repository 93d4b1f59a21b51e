using ImageCriShim.Configuration;
using ImageCriShim.Images;

namespace ImageCriShim.Rewriting;

/// <summary>
/// Says which images the settings forbid (<c>block</c>, <c>offlineOnly</c>). Every call that names an image asks it. A name that does not
/// parse is forbidden where every image may be: a runtime may read it otherwise.
/// </summary>
internal sealed class ImagePolicy(ShimSettings settings)
{
    private const int ShownOfName = 100; // one that does not parse may be anything

    private readonly string? _forbidsUnknown =
        settings.OfflineOnly ? "offlineOnly" : settings.Block.Any(pattern => pattern.IsEverything) ? "block: *" : null;

    /// <summary>Whether anything is forbidden, so that a request for an image has to be read.</summary>
    public bool IsSet => settings.OfflineOnly || !settings.Block.IsEmpty;

    /// <summary>Why the image may not be used; null where it may. An image ID is not a name.</summary>
    public string? FindRefusal(string image) => !IsSet || ImageId.IsId(image) ? null : FindRefusalOfName(image);

    /// <summary>
    /// Why the image may not be pulled; null where it may. No runtime pulls by ID, but <c>sha256:...</c> is a name of Docker Hub with a tag
    /// to distribution/reference, and is pulled as such.
    /// </summary>
    public string? FindRefusalOfPull(string image)
    {
        if (!IsSet || !ImageId.IsId(image))
            return FindRefusal(image);
        if (!image.Contains(':'))
            return null; // no runtime takes it for a name
        return settings.OfflineOnly
            ? $"{image} is an image ID, and this node's configuration forbids to pull it as a name (offlineOnly)"
            : FindRefusalOfName($"{Reference.DockerHub}/library/{image}");
    }

    /// <summary>Why that name may not be used, which may be one that an image has at a registry; null where it may.</summary>
    public string? FindRefusal(Reference reference) => settings.Block.FirstOrDefault(pattern => pattern.Matches(reference)) is { } pattern
        ? $"{reference} is blocked by this node's configuration (block: {pattern})"
        : null;

    private string? FindRefusalOfName(string image)
    {
        if (Reference.TryParse(image, out var reference))
            return FindRefusal(reference);

        if (_forbidsUnknown is { } key)
            return $"{Show(image)} is not a well-formed image name, which this node's configuration forbids ({key})";
        // The host may be a blocked one: a port can have any number of zeros.
        return image.Length > Reference.MaxDomainLength
            ? $"{Show(image)} is too long a name to be compared with this node's configuration (block)"
            : null;
    }

    private static string Show(string image)
    {
        var shown = string.Concat(image.Take(ShownOfName).Select(c => c is > ' ' and <= '~' ? c : '?'));
        return shown.Length < image.Length ? $"\"{shown}...\"" : $"\"{shown}\"";
    }
}
