using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>
/// All origins that were imported, and the entries of <c>registries</c> that they come to: each registry once, for all of its origins, in an order
/// that is the order of each origin. What cannot be said so is told where it stands.
/// </summary>
internal sealed class ImportedOrigins
{
    private readonly List<ImportedOrigin> _origins = [];
    private readonly Dictionary<string, IReadOnlyList<KeyValuePair<string, string>>> _credentials = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ImportedRegistry> _registries = [];
    private readonly List<(ImportedRegistry First, ImportedRegistry Then)> _orders = [];

    /// <summary>Images that may not be pulled.</summary>
    public List<string> Block { get; } = [];

    public void Add(ImportedOrigin origin)
    {
        if (!ImagePattern.TryParse(origin.Pattern, out _))
            (origin.Endpoints is [var first, ..] ? first.Place : null)?.Loss("its origin is no host that images can name, so it is not imported");
        else if (_origins.FindIndex(other => other.Pattern == origin.Pattern) is >= 0 and var known)
            _origins[known] = _origins[known] with { Endpoints = [.. _origins[known].Endpoints, .. origin.Endpoints] };
        else
            _origins.Add(origin);
    }

    /// <summary>For every endpoint of that host that has none of its own.</summary>
    public void AddCredential(string host, IReadOnlyList<KeyValuePair<string, string>> credential) => _credentials.TryAdd(host, credential);

    /// <summary>Each registry once, in the order in which they are to be asked.</summary>
    public IReadOnlyList<ImportedRegistry> Combine()
    {
        var needed = _origins.Where(origin => origin.IsWhole || !_origins.Exists(other => other != origin && other.Endpoints.Any(one => one.Host == origin.Host)));
        var told = needed.SelectMany(ImportedRewrites.Apply).Select(WithCredentials);
        var origins = told.OrderBy(origin => origin.Host == ImportedOrigin.Others).ToList();
        foreach (var origin in origins)
            Add(origin, origins);
        for (var i = 0; i < _registries.Count; i++)
            _registries[i] = WithExclusions(_registries[i], origins);
        TellRuntime(origins);
        return Order();
    }

    private ImportedOrigin WithCredentials(ImportedOrigin origin) => origin with { Endpoints = [.. origin.Endpoints.Select(WithCredential)] };

    private ImportedEndpoint WithCredential(ImportedEndpoint endpoint) =>
        endpoint.Credential.Count == 0 && _credentials.GetValueOrDefault(endpoint.Host) is { } credential ? endpoint with { Credential = credential } : endpoint;

    private void Add(ImportedOrigin origin, List<ImportedOrigin> all)
    {
        ImportedRegistry? before = null;
        foreach (var endpoint in origin.Endpoints.Where(endpoint => !endpoint.SaysNothing))
        {
            var registry = ImportedRegistry.Of(endpoint, origin.Pattern, SendsNamespace(endpoint, origin, all));
            var known = _registries.FindIndex(other => other.Identity == registry.Identity);
            if (known < 0)
            {
                _registries.Add(registry);
            }
            else if (_registries[known].With(registry) is { } both)
            {
                _registries[known] = both;
            }
            else
            {
                var other = _registries[known].Place;
                endpoint.Place.Loss($"{registry.Address} is described otherwise at {other}, and an entry of registries can say one thing of it; this one is left out");
                continue;
            }

            if (before is not null)
                _orders.Add((before, registry));
            before = registry;
        }
    }

    /// <summary>
    /// Whether a mirror may need to be told the origin: it has several, it cannot be spelled in an image's name, the runtime would go elsewhere by its
    /// name, or it looks up tags whose images another one gives.
    /// </summary>
    private static bool SendsNamespace(ImportedEndpoint endpoint, ImportedOrigin origin, List<ImportedOrigin> all) =>
        endpoint is { IsToldOrigin: true, IsOrigin: false }
        && (origin.Host == ImportedOrigin.Others
            || !ImportedRegistry.CanBeNamed(endpoint)
            || origin.Endpoints.Any(other => other is { IsToldOrigin: true, PullFromMirror: PullFromMirror.DigestOnly })
            || all.Exists(other => other.Host != origin.Host && other.Endpoints.Any(same => !same.IsOrigin && IsSame(same, endpoint)))
            || GoesElsewhere(endpoint.Host, all));

    /// <summary>Whether the runtime takes an image that names a mirror itself to be for other mirrors.</summary>
    private static bool GoesElsewhere(string mirror, List<ImportedOrigin> all) =>
        all.Find(other => other.Pattern == mirror && other.IsWhole) is { } own
            ? own.Endpoints.Any(endpoint => !endpoint.IsAt(mirror))
            : all.Exists(other => other.Pattern == ImportedOrigin.Others);

    private static bool IsSame(ImportedEndpoint one, ImportedEndpoint other) =>
        (one.Host, one.Root, one.Repository, one.Path) == (other.Host, other.Root, other.Repository, other.Path);

    /// <summary>Without the images that another list is for.</summary>
    private static ImportedRegistry WithExclusions(ImportedRegistry registry, List<ImportedOrigin> origins)
    {
        var others = origins.Where(origin => origin.IsWhole && !registry.Images.Contains(origin.Pattern));
        var exclude = others.Where(origin => registry.Images.Any(origin.IsWithin)).Select(origin => origin.Pattern).ToList();
        var both = registry.Images.FirstOrDefault(image => exclude.Exists(new ImportedOrigin(image, []).IsWithin));
        if (both is not null)
            registry.Place.Loss($"{registry.Address} is for {both}, but not for all around it, which an entry of registries cannot say");
        return registry with { Exclude = exclude };
    }

    /// <summary>A name at a mirror is no origin that the runtime has been told of, as long as nobody writes it down for it.</summary>
    private void TellRuntime(List<ImportedOrigin> origins)
    {
        var unknown = _registries.Where(registry => !registry.SendsNamespace && !origins.Exists(origin => origin.Pattern == registry.Host));
        foreach (var registry in unknown.DistinctBy(registry => registry.Host))
        {
            var scheme = new Uri(registry.Address).Scheme;
            if (scheme == Uri.UriSchemeHttp || registry.HasTls)
                registry.Place.Note($"the runtime is to pull from {scheme}://{registry.Host} by that host's own name: give it an entry for {registry.Host} that says how to reach it");
        }
    }

    private bool IsBefore(ImportedRegistry one, ImportedRegistry other) => one.Identity != other.Identity
        && _orders.Exists(order => order.First.Identity == one.Identity && order.Then.Identity == other.Identity);

    /// <summary>Such that each origin's first comes first; what is asked for none of the same images stays where it was found.</summary>
    private List<ImportedRegistry> Order()
    {
        var (ordered, left) = (new List<ImportedRegistry>(), _registries.ToList());
        while (left.Count > 0)
        {
            var next = left.FindIndex(registry => !left.Exists(other => IsBefore(other, registry)));
            if (next < 0)
            {
                left[0].Place.Loss($"{left[0].Address} comes before another registry for one origin and behind it for another, which priority cannot say");
                next = 0;
            }

            ordered.Add(left[next]);
            left.RemoveAt(next);
        }

        return ordered;
    }
}
