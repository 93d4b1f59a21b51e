namespace ImageCriShim.Cri;

/// <summary>An error is read by people, on one line of a terminal, and Kubernetes cuts it: what says nothing new is left out.</summary>
internal static class Shorten
{
    private const int MaxRuntimeText = 280; // two of them, and what the registries said, fit into one event
    private const int ShownOfDigest = 12; // what people compare

    /// <summary>What containerd and CRI-O put in front of a cause, once for each of their layers, with the image's name after it.</summary>
    private static readonly string[] s_wrappings =
    [
        "failed to pull and unpack image \"", "failed to pull image \"", "failed to resolve reference \"", "failed to resolve image \"",
    ];

    /// <summary>An image's name with the beginning of its digest.</summary>
    internal static string Name(string image)
    {
        var hex = image.LastIndexOf(':') + 1;
        return image.Contains('@') && image.Length > hex + ShownOfDigest ? image[..(hex + ShownOfDigest)] + "..." : image;
    }

    /// <summary>Without the wrapping. The cause comes last, so of what is still too long the end stays.</summary>
    internal static string RuntimeText(string text)
    {
        while (Array.Find(s_wrappings, wrapping => text.StartsWith(wrapping, StringComparison.Ordinal)) is not null
            && text.IndexOf("\": ", StringComparison.Ordinal) is var end and >= 0 && end + 3 < text.Length)
            text = text[(end + 3)..];
        text = WithoutName(text);
        return text.Length <= MaxRuntimeText ? text : $"...{text[^(MaxRuntimeText - 3)..]}";
    }

    internal static string End(string text, int room) => text.Length <= room ? text : $"{text[..Math.Max(0, room - 3)]}...";

    /// <summary>"sealos.hub:5000/library/nginx:1.25: not found" comes after that name.</summary>
    private static string WithoutName(string text)
    {
        var end = text.IndexOf(": ", StringComparison.Ordinal);
        return end > 0 && text.AsSpan(0, end) is var name && name.Contains('/') && !name.ContainsAny(' ', '"') ? text[(end + 2)..] : text;
    }
}
