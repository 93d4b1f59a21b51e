using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// What else the runtime may have an image by, without asking anybody: the name that it was pulled by, then its name at each registry, most
/// wanted first. kubelet asks for the same images over and over, so what was found out of one is kept until the record of pulls changes.
/// </summary>
internal sealed class OtherNames(Resolver resolver, PullRecord record, bool digestFallback)
{
    private const int MaxImages = 1024; // a node has some hundred; of whoever falls out it is found out again

    private readonly LruCache<string, (int Version, NamesOfImage Names)> _known = new(MaxImages);
    private readonly Lock _gate = new();

    /// <param name="image">As given.</param>
    internal NamesOfImage Of(string image)
    {
        var version = record.Version; // looked at first: a pull that is recorded meanwhile makes them old
        lock (_gate)
        {
            if (_known.TryGet(image, out var known) && known.Version == version)
                return known.Names;
        }

        var names = Find(image);
        lock (_gate)
            _known.Set(image, (version, names));
        return names;
    }

    private NamesOfImage Find(string image)
    {
        if (resolver.Policy.FindRefusal(image) is not null)
            return new NamesOfImage(null, [], IsRewritten: false);
        // One that dropped the digest counts for as long as digestFallback allows that.
        var pull = record.Find(image) is { } last && (last.HasDigestAsGiven || digestFallback) && IsAllowed(last.Actual) ? last : null;
        var pulled = pull is not null ? [pull.Actual] : FindDigestsOf(image);
        var candidates = resolver.Candidates(image).Where(candidate => !candidate.IsAsGiven).Select(candidate => candidate.Image).ToList();
        var others = pulled.Concat(candidates).Select(NamesOfImage.AsKept).Distinct().Where(name => name != image && IsAllowed(name));
        return new NamesOfImage(pull, [.. others], IsRewritten: candidates.Count > 0);
    }

    /// <summary>A name at a registry may be forbidden, too.</summary>
    private bool IsAllowed(string name) => resolver.Policy.FindRefusal(name) is null;

    /// <summary>A name with a digest is shown for images that came by their tag.</summary>
    private IEnumerable<string> FindDigestsOf(string image) =>
        Reference.TryParse(image, out var reference) && reference.Digest is { } digest
            ? record.RepositoriesOf(reference.Name).Select(repository => $"{repository}@{digest}")
            : [];
}

/// <param name="Recorded">The last pull of the image.</param>
/// <param name="Others">In the order in which to ask for them; never the name as given.</param>
/// <param name="IsRewritten">A pull would ask registries for it by another name.</param>
internal sealed record NamesOfImage(RecordedPull? Recorded, IReadOnlyList<string> Others, bool IsRewritten)
{
    /// <summary>Whether it is the name that the image was pulled by.</summary>
    internal bool IsRecorded(string name) => Recorded is not null && AsKept(Recorded.Actual) == name;

    /// <summary>Runtimes drop a tag beside a digest: it is the digest's name that finds the image in each of their calls.</summary>
    internal static string AsKept(string name) =>
        name.Contains('@') && Reference.TryParse(name, out var reference) && reference.Tag is not null ? reference.Kept : name;
}
