using System.Net;
using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>
/// Tells a broken image from a broken registry. A registry that gave no usable answer for one image, such as HTTP 500, a web page or nothing
/// in time, is asked for another one that it has given before; where there is none, whether it is a registry at all. So whoever names an image
/// that breaks it takes it from nobody else. One object for the process.
/// </summary>
internal sealed class SecondOpinion(RegistryClient client)
{
    /// <summary>In which an image that it has given before is found, if it is well.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int MaxRegistries = 64; // more than are configured

    private readonly LruCache<RegistryIdentity, Given> _given = new(MaxRegistries);
    private readonly Lock _gate = new();

    /// <summary>The registry has this image.</summary>
    internal void NoteGiven(Registry registry, Reference image)
    {
        var identity = RegistryIdentity.Of(registry);
        lock (_gate)
        {
            var before = _given.TryGet(identity, out var given) ? given : new Given(image, null);
            _given.Set(identity, before.Latest.Repository == image.Repository ? before with { Latest = image } : new Given(image, before.Latest));
        }
    }

    /// <param name="registry">Which failed.</param>
    /// <param name="failed">The image that it failed for.</param>
    /// <param name="patience">How long a question may take (<c>probeTimeout</c>).</param>
    /// <param name="cancellation">The process ends.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    internal async Task<bool> IsWell(Registry registry, Reference failed, TimeSpan patience, CancellationToken cancellation)
    {
        patience = patience < Patience ? patience : Patience;
        if (FindOther(registry, failed) is { } other)
            return await client.Probe(registry, other, patience, cancellation) is not ProbeResult.Unreachable { IsOurs: false };
        var greeting = await client.Greet(registry, failed, patience, cancellation);
        return greeting.IsTokenDenied || (greeting is { Reason: null, IsPage: false } && IsOfARegistry(greeting.Status));
    }

    /// <summary>As distribution-spec's "Determining Support" knows them, and those of registries that have no such page, refuse it, or have too many callers.</summary>
    private static bool IsOfARegistry(HttpStatusCode status) => status is HttpStatusCode.OK or HttpStatusCode.Unauthorized or HttpStatusCode.NotFound
        or HttpStatusCode.TooManyRequests || ManifestAnswer.IsRefusal(status);

    private Reference? FindOther(Registry registry, Reference failed)
    {
        lock (_gate)
        {
            if (!_given.TryGet(RegistryIdentity.Of(registry), out var given))
                return null;
            return given.Latest.Repository == failed.Repository ? given.Before : given.Latest;
        }
    }

    /// <param name="Latest">It had this one last.</param>
    /// <param name="Before">And this one, of another repository, before.</param>
    private sealed record Given(Reference Latest, Reference? Before);
}
