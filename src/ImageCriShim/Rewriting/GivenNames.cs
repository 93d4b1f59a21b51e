using System.Collections.Concurrent;
using ImageCriShim.Images;

namespace ImageCriShim.Rewriting;

/// <summary>
/// By which names an image was asked for that the runtime has by another: the record of pulls, looked up by what a runtime lists. Read
/// by any number of threads, changed by one at a time.
/// </summary>
internal sealed class GivenNames
{
    private readonly ConcurrentDictionary<string, Tagged> _byName = new();
    private readonly ConcurrentDictionary<string, RecordedPull[]> _byImage = new();
    private readonly ConcurrentDictionary<string, Sources> _byRepository = new();
    private readonly ConcurrentDictionary<string, Tagged>.AlternateLookup<ReadOnlySpan<char>> _lookUpName;
    private readonly ConcurrentDictionary<string, RecordedPull[]>.AlternateLookup<ReadOnlySpan<char>> _lookUpImage;
    private readonly ConcurrentDictionary<string, Sources>.AlternateLookup<ReadOnlySpan<char>> _lookUpRepository;

    internal GivenNames()
    {
        _lookUpName = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
        _lookUpImage = _byImage.GetAlternateLookup<ReadOnlySpan<char>>();
        _lookUpRepository = _byRepository.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Nothing was pulled.</summary>
    public bool IsEmpty => _byName.IsEmpty;

    /// <summary>What a name with a tag was asked for by, the latest first; none where no pull brought it.</summary>
    public IReadOnlyList<string> OfTag(ReadOnlySpan<char> actual) => _lookUpName.TryGetValue(actual, out var tagged) ? tagged.Given : [];

    /// <summary>
    /// The repositories that images of this one were asked for by. Where there are several, and the image itself was pulled by some of them,
    /// those.
    /// </summary>
    /// <param name="actual">In full.</param>
    /// <param name="imageId">As the runtime gives it.</param>
    /// <param name="digest">Of the image in that repository: docker answers a pull with it, not with the ID.</param>
    public IReadOnlyList<string> OfRepository(ReadOnlySpan<char> actual, ReadOnlySpan<char> imageId, ReadOnlySpan<char> digest = default)
    {
        if (!_lookUpRepository.TryGetValue(actual, out var sources))
            return [];
        if (sources.Given.Length == 1)
            return sources.Given;
        var repository = actual.ToString();
        var own = OfImage(imageId).Concat(OfImage(digest)).Where(pull => pull.ActualName?.Name == repository).Select(pull => pull.GivenName!.Name).Distinct().ToArray();
        return own.Length > 0 ? own : sources.Given;
    }

    /// <summary>The pulls that brought this very image.</summary>
    /// <param name="imageRef">Its ID or a digest of it, as the runtime gives it.</param>
    public IReadOnlyList<RecordedPull> OfImage(ReadOnlySpan<char> imageRef) =>
        _lookUpImage.TryGetValue(ImageId.HexOf(imageRef), out var pulls) ? pulls : [];

    /// <summary>
    /// Whether this actual name is the one that the name with a tag was last pulled by, and is looked for by. Asked only where several images could
    /// be shown by that name: it looks at every pull.
    /// </summary>
    public bool IsLatest(string given, ReadOnlySpan<char> actual)
    {
        var latest = _byName.SelectMany(pair => pair.Value.Pulls).Where(pull => pull.GivenName!.Tagged == given)
            .MaxBy(pull => (pull.GivenName!.Digest is null, pull.At));
        return latest is not null && actual.SequenceEqual(latest.ActualName!.Kept);
    }

    public void Add(RecordedPull pull)
    {
        if (pull is not { GivenName: { } given, ActualName: { } actual })
            return;
        _byName[actual.Kept] = new Tagged([pull, .. PullsBy(actual.Kept)]);
        var image = ImageId.HexOf(pull.ImageRef).ToString();
        _byImage[image] = [.. _byImage.GetValueOrDefault(image, []), pull];
        _byRepository[actual.Name] = _byRepository.GetValueOrDefault(actual.Name, Sources.None).With(given.Name, 1);
    }

    public void Remove(RecordedPull pull)
    {
        if (pull is not { GivenName: { } given, ActualName: { } actual })
            return;
        Set(_byName, actual.Kept, new Tagged([.. PullsBy(actual.Kept).Where(other => other != pull)]), tagged => tagged.Pulls.Length == 0);
        var image = ImageId.HexOf(pull.ImageRef).ToString();
        Set(_byImage, image, [.. _byImage.GetValueOrDefault(image, []).Where(other => other != pull)], pulls => pulls.Length == 0);
        var sources = _byRepository.GetValueOrDefault(actual.Name, Sources.None).With(given.Name, -1);
        Set(_byRepository, actual.Name, sources, left => left.Given.Length == 0);
    }

    private RecordedPull[] PullsBy(string name) => _byName.TryGetValue(name, out var tagged) ? tagged.Pulls : [];

    private static void Set<T>(ConcurrentDictionary<string, T> index, string key, T value, Func<T, bool> isEmpty)
    {
        if (isEmpty(value))
            index.TryRemove(key, out _);
        else
            index[key] = value;
    }

    /// <summary>The pulls by one actual name, latest first, and what is shown for it.</summary>
    private sealed class Tagged(RecordedPull[] pulls)
    {
        public RecordedPull[] Pulls { get; } = pulls;

        public string[] Given { get; } = [.. pulls.Select(pull => pull.GivenName!.Tagged).OfType<string>().Distinct()];
    }

    /// <summary>The repositories that were asked for, each with how many pulls.</summary>
    private sealed class Sources(string[] given, int[] pulls)
    {
        public static readonly Sources None = new([], []);

        public string[] Given { get; } = given;

        public Sources With(string repository, int more)
        {
            var at = Array.IndexOf(Given, repository);
            if (at < 0)
                return new Sources([.. Given, repository], [.. pulls, more]);
            int[] counted = [.. pulls];
            counted[at] += more;
            return new Sources([.. Given.Where((_, i) => counted[i] > 0)], [.. counted.Where(count => count > 0)]);
        }
    }
}
