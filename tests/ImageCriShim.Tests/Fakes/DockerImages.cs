namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// Images as docker 28 has them behind cri-dockerd 0.4.3: names of Docker Hub are written short, a pull is answered with the first name with a
/// digest, a removal by anything but the whole ID says OK and removes nothing, and one by the ID takes all names off.
/// </summary>
public sealed class DockerImages : FakeImages
{
    private const string Hub = "docker.io/";

    public override string RuntimeName => "docker";

    /// <summary>The ID of an image that a container runs on.</summary>
    public string InUse { get; set; } = "";

    public override FakeImage Add(string name)
    {
        var normalised = Normalise(name);
        var (content, isByDigest) = (Contents.GetValueOrDefault(name, normalised), normalised.Contains('@'));
        var repository = isByDigest ? normalised[..normalised.IndexOf('@')] : normalised[..normalised.LastIndexOf(':')];
        var digest = isByDigest ? normalised : $"{repository}@{Sha256("manifest of " + content)}";
        return AddNames(Sha256(content), isByDigest ? [] : [Familiar(normalised)], [Familiar(digest)]);
    }

    // 64 digits without the algorithm are no name for it, and no ID either.
    public override FakeImage? Find(string name)
    {
        if (name.Length == 0) return null;
        var normalised = Familiar(Normalise(name));
        return All.FirstOrDefault(image => image.Tags.Contains(normalised) || image.Digests.Contains(normalised))
            ?? All.FirstOrDefault(image => image.Id == name || (name.Length < 64 && image.Id.StartsWith($"sha256:{name}", StringComparison.Ordinal)));
    }

    public override void Remove(string name)
    {
        if (All.FirstOrDefault(image => image.Id == name) is { } image) Remove(image);
    }

    public override (int Status, string Text)? RefuseToRemove(string name) => name.Length > 0 && name == InUse
        ? (2, $"Error response from daemon: conflict: unable to remove repository reference \"{name}\" (must force)")
        : null;

    protected override string RefOf(FakeImage image) => image.Digests[0];

    // By docker's "reference" filter, which compares names as they are written.
    protected override FakeImage? FindByFilter(string filter) =>
        All.FirstOrDefault(image => image.Tags.Concat(image.Digests).Any(name => name == filter || RepositoryOf(name) == filter));

    protected override (int Status, string Text) NotFound(string name) =>
        (2, $"Error response from daemon: manifest for {Familiar(Normalise(name))} not found: manifest unknown: manifest unknown");

    private static string RepositoryOf(string name) => name.Contains('@') ? name[..name.IndexOf('@')] : name[..name.LastIndexOf(':')];

    private static string Familiar(string name)
    {
        if (!name.StartsWith(Hub, StringComparison.Ordinal)) return name;
        var path = name[Hub.Length..];
        return path.StartsWith("library/", StringComparison.Ordinal) && path.Count(letter => letter == '/') == 1 ? path["library/".Length..] : path;
    }
}
