using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Images;

/// <summary>
/// The parsed, normalised name of an image. The grammar is that of github.com/distribution/reference (the library every
/// runtime uses), so that what we accept and what the runtime accepts is the same:
/// <code>
/// reference  := name [ ":" tag ] [ "@" digest ]
/// name       := [ domain "/" ] path-component *( "/" path-component )
/// </code>
/// A name that it refuses is not ours to judge: it is forwarded as given and the runtime answers, unless the settings forbid that.
/// </summary>
internal sealed record Reference
{
    public const string DockerHub = "docker.io";

    private const string DockerHubApi = "registry-1.docker.io";
    private const string Library = "library/";
    private const string DefaultTag = "latest";
    private const int MaxRepositoryLength = 255; // RepositoryNameTotalLengthMax; releases before 0.6 counted the domain too

    /// <summary>RFC 1035, and a port. The original has no bound: a longer name is as one that does not parse.</summary>
    public const int MaxDomainLength = 253 + 6;

    private Reference(string domain, string repository, string? tag, string? digest) =>
        (Domain, Repository, Tag, Digest) = (domain, repository, tag, digest);

    /// <summary>
    /// Host with optional port, as written; <c>docker.io</c> for Docker Hub's other names. <c>a_b.test</c> of <c>a_b.test/app</c> is none
    /// in the original, which takes it for a part of the path; runtimes ask that host all the same.
    /// </summary>
    public string Domain { get; }

    /// <summary>The path at the registry, <c>library/</c> included where Docker Hub implies it.</summary>
    public string Repository { get; }

    public string? Tag { get; }

    /// <summary><c>algorithm:hex</c>. Where both are given the digest decides and the tag is only for people.</summary>
    public string? Digest { get; }

    /// <summary>Host and path: everything but tag and digest.</summary>
    public string Name => $"{Domain}/{Repository}";

    /// <summary>The name with its tag and no digest; null where only a digest was given.</summary>
    public string? Tagged => Tag is null && Digest is not null ? null : $"{Domain}/{Repository}:{Tag ?? DefaultTag}";

    /// <summary>As containerd keeps it: a tag beside a digest is dropped.</summary>
    public string Kept => Digest is null ? $"{Domain}/{Repository}:{Tag ?? DefaultTag}" : $"{Domain}/{Repository}@{Digest}";

    /// <summary>What a manifest is asked for by: the digest, else the tag, else <c>latest</c>.</summary>
    public string Version => Digest ?? Tag ?? DefaultTag;

    /// <summary>The last segment of <see cref="Repository"/>.</summary>
    public string ShortName => Repository[(Repository.LastIndexOf('/') + 1)..];

    public static bool TryParse(string text, [NotNullWhen(true)] out Reference? reference)
    {
        reference = null;
        if (ImageId.IsId(text))
            return false;

        var name = text;
        if (!TryCut(ref name, text.IndexOf('@'), ReferenceGrammar.IsDigest, out var digest))
            return false;
        var tagColon = name.LastIndexOf(':');
        if (tagColon < name.LastIndexOf('/'))
            tagColon = -1; // the port of a host
        if (!TryCut(ref name, tagColon, ReferenceGrammar.IsTag, out var tag))
            return false;

        var (domain, repository) = SplitDomain(name);
        if (domain.Length > MaxDomainLength || repository.Length > MaxRepositoryLength || !ReferenceGrammar.IsRepository(repository))
            return false;
        if (!ReferenceGrammar.IsDomain(domain) && !IsPath(domain, repository))
            return false;
        reference = new Reference(domain, repository, tag, digest);
        return true;
    }

    /// <summary>The registry that <paramref name="host"/> means: Docker Hub answers to three names.</summary>
    public static string NormalizeDomain(string host) => host is "index.docker.io" or DockerHubApi ? DockerHub : host;

    /// <summary>Whether the image names this host, in whatever spelling.</summary>
    /// <param name="defaultPort">The port of the host where none is written.</param>
    public bool IsAt(string host, int defaultPort = ImageHost.HttpsPort) => ImageHost.AreSame(Domain, host, defaultPort);

    public override string ToString()
    {
        var tag = Tag ?? (Digest is null ? DefaultTag : null);
        return $"{Domain}/{Repository}{(tag is null ? "" : ":" + tag)}{(Digest is null ? "" : "@" + Digest)}";
    }

    /// <summary>Where the first segment looks like a host and cannot be one, the original reads the whole name as a path.</summary>
    private static bool IsPath(string first, string rest) =>
        ReferenceGrammar.IsRepository(first) && first.Length + 1 + rest.Length <= MaxRepositoryLength;

    private static bool TryCut(ref string name, int at, Func<string, bool> isValid, out string? tail)
    {
        tail = at < 0 ? null : name[(at + 1)..];
        if (tail is null)
            return true;
        name = name[..at];
        return isValid(tail);
    }

    /// <summary>Whether the segment in front of the first slash is a host, and not a path on Docker Hub.</summary>
    public static bool IsHost(ReadOnlySpan<char> first) =>
        first is "localhost" || first.IndexOfAny('.', ':') >= 0 || first.IndexOfAnyInRange('A', 'Z') >= 0;

    /// <summary>splitDockerDomain: without a dot, a colon or an upper-case letter the first segment is a path on Docker Hub.</summary>
    private static (string Domain, string Repository) SplitDomain(string name)
    {
        var slash = name.IndexOf('/');
        var first = slash < 0 ? "" : name[..slash];
        var isDomain = IsHost(first);
        var domain = isDomain ? NormalizeDomain(first) : DockerHub;
        var repository = isDomain ? name[(slash + 1)..] : name;
        if (domain != DockerHub || repository.Contains('/'))
            return (domain, repository);
        // The original knows no third name of Docker Hub, and so adds nothing that might be too much.
        var isTooLong = first == DockerHubApi && repository.Length > MaxRepositoryLength - Library.Length;
        return isTooLong ? (first, repository) : (domain, Library + repository);
    }
}
