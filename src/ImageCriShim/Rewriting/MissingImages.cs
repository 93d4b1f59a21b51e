using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>An image that was wanted and that no configured registry had.</summary>
/// <param name="Image">Its full name, as a mirroring tool takes it.</param>
/// <param name="First">When it was first missed.</param>
/// <param name="Last">When it was missed last.</param>
/// <param name="Asked">What the registries were asked for, highest first: where it would have been looked for.</param>
internal sealed record MissingImage(string Image, DateTimeOffset First, DateTimeOffset Last, IReadOnlyList<string> Asked);

/// <summary>What no registry had, for whoever fills them. Thread-safe.</summary>
/// <param name="known">What was missed before.</param>
/// <param name="changed">Called after each change, outside of any lock; must not block.</param>
internal sealed class MissingImages(IEnumerable<MissingImage> known, Action? changed = null)
{
    /// <summary>More than anybody wants to mirror by hand; the oldest are left out.</summary>
    internal const int MaxImages = 1024;

    /// <summary>Names that it was looked for by, each: with hundreds of registries the file would not be read any more.</summary>
    internal const int MaxAsked = 16;

    private readonly Dictionary<string, MissingImage> _images =
        known.OrderByDescending(missing => missing.Last).DistinctBy(missing => missing.Image).Take(MaxImages).ToDictionary(missing => missing.Image);
    private readonly Lock _gate = new();

    /// <summary>A snapshot, newest first.</summary>
    public IReadOnlyList<MissingImage> All
    {
        get
        {
            lock (_gate)
                return [.. _images.Values.OrderByDescending(missing => missing.Last)];
        }
    }

    /// <summary>
    /// Looks at a decision: every registry that was asked said that it does not have the image, or would not give it, or one has it. Where one
    /// could not be asked nothing is known.
    /// </summary>
    public void Note(Decision decision, DateTimeOffset now)
    {
        if (!Reference.TryParse(decision.Image, out var reference))
            return;
        var isChanged = decision.Kind is DecisionKind.Found
            ? Forget($"{reference}")
            : IsNowhere(decision) && Add($"{reference}", now, [.. decision.Probes.Take(MaxAsked).Select(probe => probe.Candidate.Image)]);
        if (isChanged)
            changed?.Invoke();
    }

    /// <summary>What was missed before, and has been read only now.</summary>
    public void AddEarlier(IEnumerable<MissingImage> known)
    {
        lock (_gate)
        {
            foreach (var missing in known.OrderByDescending(missing => missing.Last).Take(MaxImages - _images.Count))
            {
                if (!_images.TryAdd(missing.Image, missing))
                    _images[missing.Image] = _images[missing.Image] with { First = missing.First };
            }
        }
    }

    private static bool IsNowhere(Decision decision) =>
        decision.Probes.Count > 0 && decision.Probes.All(probe => probe.Result is ProbeResult.Missing or ProbeResult.Denied);

    private bool Add(string image, DateTimeOffset now, IReadOnlyList<string> asked)
    {
        lock (_gate)
        {
            var first = _images.TryGetValue(image, out var earlier) ? earlier.First : now;
            _images[image] = new MissingImage(image, first, now, asked);
            if (_images.Count > MaxImages)
                _images.Remove(_images.Values.MinBy(missing => missing.Last)!.Image);
            return true;
        }
    }

    private bool Forget(string image)
    {
        lock (_gate)
            return _images.Remove(image);
    }
}
