using System.Collections.Immutable;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>A configured place that may hold images, and the rules about which ones and where.</summary>
internal sealed record Registry(RegistryAddress Address)
{
    public const int DefaultPriority = 500;
    public const int DefaultOfflinePriority = 1000;
    public const int MaxPriority = 10_000;
    public const string DefaultApiRoot = "v2";

    /// <summary>
    /// Registries that are origins in their own right. They are asked for their own images only: <c>quay.io/a/b</c> must not
    /// come from Docker Hub's <c>a/b</c>, and names of private images are not told to the public. Not
    /// <c>mirror.gcr.io</c>, which is a mirror of Docker Hub.
    /// </summary>
    private bool IsPublicOrigin =>
        IsPublic(ImageHost.Canonical(Host, ImageHost.HttpsPort)) || IsPublic(ImageHost.Canonical(Host, ImageHost.HttpPort));

    private static bool IsPublic(string host) => host is Reference.DockerHub or "quay.io" or "ghcr.io" or "gcr.io" or "us.gcr.io"
        or "eu.gcr.io" or "asia.gcr.io" or "registry.k8s.io" or "k8s.gcr.io" or "mcr.microsoft.com" or "public.ecr.aws";

    public string Host => Address.Host;

    /// <summary>Null: the registry wants none.</summary>
    public CredentialSource? Credentials { get; init; }

    /// <summary>Whether the caller's own credential (the pod's pull secret) may go to this registry although the image's name is rewritten.</summary>
    public bool ForwardPullSecrets { get; init; }

    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public int Priority { get; init; } = DefaultPriority;

    /// <summary>The registry of the top-level <c>address</c>: wins ties.</summary>
    public bool IsOffline { get; init; }

    public ImmutableArray<ImagePattern> Images { get; init; } = [];
    public ImmutableArray<ImagePattern> Exclude { get; init; } = [];
    public PathTemplate Path { get; init; } = PathTemplate.Default;

    /// <summary>The path of its API, without slashes around it; empty where repositories begin at the root of the host.</summary>
    public string ApiRoot { get; init; } = DefaultApiRoot;

    /// <summary>For which names of an image it is asked.</summary>
    public PullFromMirror PullFromMirror { get; init; }

    /// <summary>
    /// Whether it tells the origins of images apart by <c>?ns=</c> (containerd, docs/hosts.md). No name of an image can hold that, so the runtime has to
    /// have it as its mirror too, and is told to pull the name as given.
    /// </summary>
    public bool SendsNamespace { get; init; }

    /// <summary>The origin of the image that is asked for, where the registry is told of it.</summary>
    public string? Namespace { get; init; }

    /// <summary>Whether the image names this very host, in whatever spelling.</summary>
    public bool IsNamedBy(Reference image) => image.IsAt(Host, Address.DefaultPort);

    /// <summary>Whether this registry is asked for the image at all.</summary>
    public bool Serves(Reference image)
    {
        if (Exclude.Any(pattern => pattern.Matches(image)) || !IsAskedForVersion(image))
            return false;
        return Images.IsEmpty
            ? IsNamedBy(image) || !IsPublicOrigin
            : Images.Any(pattern => pattern.Matches(image));
    }

    /// <summary>
    /// The image's name at this registry; null where it cannot have one (too long). An image that names this very host is
    /// where it says it is. A tag beside a digest is left out: it decides nothing, and runtimes drop it too.
    /// </summary>
    public Reference? Spell(Reference image)
    {
        if (IsNamedBy(image))
            return image;
        var rest = FindRest(image);
        if (rest is null && Path.HasRest)
            return null;
        var path = Path.Expand(image, rest ?? "");
        var repository = Address.Path.Length == 0 ? path : $"{Address.Path}/{path}";
        return Reference.TryParse($"{Host}/{repository}{(image.Digest is null ? ':' : '@')}{image.Version}", out var spelled) ? spelled : null;
    }

    /// <summary>
    /// The other way round: by which name was asked for what has this name here? Null where the rules of this registry allow several. A path
    /// in <c>library/</c> that tells nothing of its origin is Docker Hub's: no other registry implies it.
    /// </summary>
    public Reference? FindOrigin(Reference here)
    {
        var prefix = Address.Path.Length == 0 ? "" : $"{Address.Path}/";
        if (SendsNamespace || !IsNamedBy(here) || !here.Repository.StartsWith(prefix, StringComparison.Ordinal)
            || !Path.TryMatch(here.Repository[prefix.Length..], out var origin, out var repository))
            return null;
        origin ??= OnlyOrigin ?? (repository.StartsWith("library/", StringComparison.Ordinal) ? Reference.DockerHub : null);
        var name = $"{origin}/{repository}{(here.Digest is null ? ':' : '@')}{here.Version}";
        var isGiven = Reference.TryParse(name, out var given) && !IsNamedBy(given) && Serves(given) && Spell(given) == here;
        return origin is not null && isGiven ? given : null;
    }

    /// <summary>Where its API answers whether it is one.</summary>
    public Uri ApiUri => new(Address.Endpoint, ApiRoot.Length == 0 ? "" : $"{ApiRoot}/");

    /// <param name="here">The image's name at this registry.</param>
    public Uri ManifestUri(Reference here) =>
        new(ApiUri, $"{here.Repository}/manifests/{here.Version}{(Namespace is null ? "" : $"?ns={Uri.EscapeDataString(Namespace)}")}");

    /// <summary>Whether the settings say the same of both.</summary>
    public bool IsSameAs(Registry other) =>
        (Address, ForwardPullSecrets, Tls, Priority, IsOffline, Path) == (other.Address, other.ForwardPullSecrets, other.Tls, other.Priority, other.IsOffline, other.Path)
        && (ApiRoot, PullFromMirror, SendsNamespace) == (other.ApiRoot, other.PullFromMirror, other.SendsNamespace)
        && Images.SequenceEqual(other.Images) && Exclude.SequenceEqual(other.Exclude)
        && (Credentials?.IsSameAs(other.Credentials) ?? other.Credentials is null);

    public override string ToString() => $"{Place} (priority {Priority})";

    /// <summary>Where it is, for people: its address, with the root of its API where that is another than usual.</summary>
    public string Place => ApiRoot == DefaultApiRoot ? $"{Address}" : $"{Address}, API at /{ApiRoot}";

    /// <summary>Whether both are one place, of which settings have one entry.</summary>
    public bool IsSamePlaceAs(Registry other) => (Address.Key, Address.Path, ApiRoot) == (other.Address.Key, other.Address.Path, other.ApiRoot);

    private bool IsAskedForVersion(Reference image) => PullFromMirror switch
    {
        PullFromMirror.DigestOnly => image.Digest is not null,
        PullFromMirror.TagOnly => image.Digest is null,
        _ => true,
    };

    /// <summary>Of several patterns the one that covers most of the repository counts.</summary>
    private string? FindRest(Reference image) => Images.IsEmpty
        ? image.Repository
        : Images.Select(pattern => pattern.FindRest(image)).OfType<string>().MinBy(rest => rest.Length);

    /// <summary>The host of all images that this registry is asked for; null where there are several.</summary>
    private string? OnlyOrigin => Images.Select(pattern => pattern.OnlyHost).Distinct().ToList() is [var only] ? only : null;
}

/// <summary>For which names of an image a registry is asked, in the words of CRI-O's <c>pull-from-mirror</c>.</summary>
internal enum PullFromMirror
{
    All,

    /// <summary>A tag may lead elsewhere there than at the origin; a digest cannot.</summary>
    DigestOnly,
    TagOnly,
}
