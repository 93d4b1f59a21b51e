using ImageCriShim.Images;

namespace ImageCriShim.Rewriting;

/// <summary>With whose credential an image came; what decides who may be given it without one.</summary>
internal enum PulledWith
{
    /// <summary>None: the registry gives it to anybody, or the runtime has a credential of its own.</summary>
    Nothing,

    /// <summary>The one that this node is configured with.</summary>
    NodesOwn,

    /// <summary>What the caller sent along, a pod's pull secret: the image is paid for by that pod alone.</summary>
    Callers,

    /// <summary>It was on the node before there was a record.</summary>
    Unknown,
}

/// <summary>What a pull through the shim brought.</summary>
/// <param name="Given">The image as the caller named it.</param>
/// <param name="Actual">The name that the runtime pulled, and has the image by.</param>
/// <param name="Registry">The host that it came from.</param>
/// <param name="ImageRef"><c>image_ref</c> of the runtime's answer: an ID, for some runtimes a name with a digest.</param>
/// <param name="At">When.</param>
/// <param name="With">With whose credential.</param>
/// <param name="Digest">Of the manifest; null where nobody said.</param>
internal sealed record RecordedPull(
    string Given, string Actual, string Registry, string ImageRef, DateTimeOffset At, PulledWith With, string? Digest = null)
{
    /// <summary>Not a name of anybody's: the record would grow with whatever a caller sends.</summary>
    private const int MaxLength = 1024;

    /// <summary><see cref="Given"/> parsed; null where it is no reference.</summary>
    public Reference? GivenName { get; } = Parse(Given);

    /// <summary><see cref="Actual"/> parsed; null where it is no reference.</summary>
    public Reference? ActualName { get; } = Parse(Actual);

    /// <summary>
    /// Whatever the spelling of <see cref="Given"/>: <c>nginx</c> is <c>docker.io/library/nginx:latest</c>, and a tag beside a digest says nothing.
    /// Only an image that came by its tag, because its digest was lost, is that of both.
    /// </summary>
    public string Key => (HasDigestAsGiven ? GivenName?.Kept : GivenName?.ToString()) ?? Given;

    /// <summary>Whether it came without a secret of a pod's.</summary>
    public bool IsForEverybody => With is PulledWith.Nothing or PulledWith.NodesOwn;

    /// <summary>False where <see cref="Given"/> pins a digest and the image came by another name: with <c>digestFallback</c>.</summary>
    public bool HasDigestAsGiven => GivenName?.Digest is not { } digest || Actual.EndsWith(digest, StringComparison.Ordinal);

    /// <summary>Whether it brought the image of that ID.</summary>
    public bool HasId(string id) => ImageId.IsId(id) && ImageId.HexOf(ImageRef).SequenceEqual(ImageId.HexOf(id));

    public bool IsSameImageAs(RecordedPull other) => ImageId.HexOf(ImageRef).SequenceEqual(ImageId.HexOf(other.ImageRef));

    public bool IsReasonable => Given.Length <= MaxLength && Actual.Length <= MaxLength && Registry.Length <= MaxLength && ImageRef.Length is > 0 and <= MaxLength
        && Digest is not { Length: > MaxLength };

    /// <summary>What pulls of this name can have as their <see cref="Key"/>, the better first.</summary>
    public static string[] KeysOf(string given) => Parse(given) switch
    {
        null => [given],
        { Tag: not null, Digest: not null } both => [both.Kept, both.ToString()],
        var name => [name.Kept],
    };

    /// <summary>Whether it was pulled for that name, or by it.</summary>
    public bool IsNamed(string name) => Actual == name || KeysOf(name).Contains(Key);

    private static Reference? Parse(string name) => Reference.TryParse(name, out var reference) ? reference : null;
}
