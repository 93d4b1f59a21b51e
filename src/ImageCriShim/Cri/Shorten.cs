using System.Buffers;

namespace ImageCriShim.Cri;

/// <summary>An error is read by people, on one line of a terminal, and Kubernetes cuts it: what says nothing new is left out.</summary>
internal static class Shorten
{
    private const int MaxRuntimeText = 280; // two of them, and what the registries said, fit into one event
    private const int ShownOfDigest = 12; // what people compare
    private const int DigestLength = 64;
    private const string Digest = "sha256:";
    private const string Artifact = "; artifact err: ";
    private const string IsArtifact = " on artifact with type "; // how CRI-O says that it was no image, after all

    private static readonly SearchValues<char> s_hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <summary>kubelet looks for these words of the CRI at the beginning of an error, so they stay there.</summary>
    private static readonly string[] s_reasons = ["RegistryUnavailable: ", "SignatureValidationFailed: "];

    /// <summary>
    /// What runtimes put in front of a cause, once for each of their layers: from these words on as far as those. Between them stands
    /// the image's name, or its registry's.
    /// </summary>
    private static readonly (string Begin, string End)[] s_wrappings =
    [
        // containerd, and docker with containerd's image store
        ("failed to pull and unpack image \"", "\": "), ("failed to pull image \"", "\": "),
        ("failed to resolve reference \"", "\": "), ("failed to resolve image \"", "\": "),

        // docker
        ("Error response from daemon", ": "), ("manifest for ", " not found: "),

        // CRI-O, and the library of containers/image that pulls for it; in capitals until 2022
        ("unable to pull image or OCI artifact", ": "), ("pull image err", ": "), ("get manifest", ": "), ("build image source", ": "),
        ("copying system image from manifest list", ": "), ("initializing source docker://", ": "), ("Error initializing source docker://", ": "),
        ("determining manifest MIME type for docker://", ": "), ("Error determining manifest MIME type for docker://", ": "),
        ("reading manifest ", ": "), ("Error reading manifest ", ": "),
        ("pinging container registry ", ": "), ("error pinging docker registry ", ": "),
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
        var reason = Array.Find(s_reasons, reason => text.StartsWith(reason, StringComparison.Ordinal)) ?? "";
        text = CauseOfImage(text[reason.Length..]);
        while (BehindWrapping(text) is { } cause)
            text = cause;
        text = WithShortDigests(WithoutName(text));
        var room = MaxRuntimeText - reason.Length;
        return text.Length <= room ? reason + text : $"{reason}...{text[^(room - 3)..]}";
    }

    internal static string End(string text, int room) => text.Length <= room ? text : $"{text[..Math.Max(0, room - 3)]}...";

    private static string? BehindWrapping(string text)
    {
        foreach (var (begin, end) in s_wrappings)
        {
            if (!text.StartsWith(begin, StringComparison.Ordinal))
                continue;
            var at = text.IndexOf(end, begin.Length, StringComparison.Ordinal);
            if (at >= 0 && at + end.Length < text.Length)
                return text[(at + end.Length)..];
        }

        return null;
    }

    /// <summary>CRI-O pulls what fails once more as an artifact, and says of both why not: the same twice, but for artifacts.</summary>
    private static string CauseOfImage(string text)
    {
        if (text.LastIndexOf(Artifact, StringComparison.Ordinal) is not (>= 0 and var at))
            return text;
        return text.AsSpan(0, at).Contains(IsArtifact, StringComparison.Ordinal) ? text[(at + Artifact.Length)..] : text[..at];
    }

    /// <summary>"sealos.hub:5000/library/nginx:1.25: not found" comes after that name.</summary>
    private static string WithoutName(string text)
    {
        var end = text.IndexOf(": ", StringComparison.Ordinal);
        return end > 0 && text.AsSpan(0, end) is var name && name.Contains('/') && !name.ContainsAny(' ', '"') ? text[(end + 2)..] : text;
    }

    private static string WithShortDigests(string text)
    {
        for (var at = text.IndexOf(Digest, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Digest, at + 1, StringComparison.Ordinal))
        {
            var (hex, end) = (at + Digest.Length, at + Digest.Length + DigestLength);
            if (end <= text.Length && !text.AsSpan(hex, DigestLength).ContainsAnyExcept(s_hexadecimal))
                text = $"{text[..(hex + ShownOfDigest)]}...{text[end..]}";
        }

        return text;
    }
}
