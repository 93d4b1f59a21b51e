namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// Images as CRI-O 1.36 has them, with the registries.conf of its packages: a name without a host is an error in every call. Its IDs have no
/// algorithm, a pull by a tag gives the image a name with its digest as well, and a removal by a name takes off that name alone.
/// </summary>
public sealed class CrioImages : FakeImages
{
    public override string RuntimeName => "cri-o";

    public override FakeImage Add(string name)
    {
        var normalised = Normalise(name);
        var (content, isByDigest) = (Contents.GetValueOrDefault(name, normalised), normalised.Contains('@'));
        var repository = isByDigest ? normalised[..normalised.IndexOf('@')] : normalised[..normalised.LastIndexOf(':')];
        var digest = isByDigest ? normalised : $"{repository}@{Sha256("manifest of " + content)}";
        return AddNames(Sha256(content)["sha256:".Length..], isByDigest ? [] : [normalised], [digest]);
    }

    public override FakeImage? Find(string name)
    {
        const int shortest = 3; // of an ID's beginning
        if (name.Length == 0) return null;
        return All.FirstOrDefault(image => name.Length >= shortest && image.Id.StartsWith(name, StringComparison.Ordinal))
            ?? All.FirstOrDefault(image => image.Tags.Contains(Normalise(name)) || image.Digests.Contains(Normalise(name)));
    }

    public override void Remove(string name)
    {
        if (Find(name) is not { } image) return;
        var left = image with { Tags = [.. image.Tags.Except([Normalise(name)])], Digests = [.. image.Digests.Except([Normalise(name)])] };
        Remove(image);
        if (!image.Id.StartsWith(name, StringComparison.Ordinal) && left.Tags.Length + left.Digests.Length > 0) Add(left);
    }

    public override (int Status, string Text)? Refuse(string name)
    {
        var slash = name.IndexOf('/');
        var hasHost = slash >= 0 && (name[..slash] == "localhost" || name.AsSpan(0, slash).IndexOfAny('.', ':') >= 0);
        var isId = Find(name) is not null && !hasHost && Find(name)!.Id.StartsWith(name, StringComparison.Ordinal);
        if (name.Length == 0 || hasHost || isId || IsWholeId(name)) return null;
        return (2, $"short-name \"{name}\" did not resolve to an alias and no unqualified-search registries are defined in \"/etc/containers/registries.conf\"");
    }

    protected override (int Status, string Text) NotFound(string name) =>
        (2, $"unable to pull image or OCI artifact: pull image err: initializing source docker://{Normalise(name)}: reading manifest: manifest unknown; "
            + "artifact err: get manifest: build image source: reading manifest: manifest unknown");

    private static bool IsWholeId(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);
}
