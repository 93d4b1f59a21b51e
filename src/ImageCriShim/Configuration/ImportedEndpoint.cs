using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>One of the registries that another program asks for the images of an origin, as its file describes it.</summary>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Host">With its port, if one is written.</param>
/// <param name="Place">Where the file says so.</param>
internal sealed record ImportedEndpoint(string Scheme, string Host, ImportedPlace Place) : ImportedHost
{
    /// <summary>The path of its API, without slashes around it.</summary>
    public string Root { get; init; } = Registry.DefaultApiRoot;

    /// <summary>What stands before every repository there, without slashes around it.</summary>
    public string Repository { get; init; } = "";

    /// <summary>Where an image lies there: a <see cref="PathTemplate"/>.</summary>
    public string Path { get; init; } = ImportedRegistry.WholeRepository;

    /// <summary>Whether the program sends <c>?ns=</c> with the origin, as containerd does to mirrors.</summary>
    public bool IsToldOrigin { get; init; }

    /// <summary>Whether it is the origin itself.</summary>
    public bool IsOrigin { get; init; }

    /// <summary>From a regular expression to what a repository that matches becomes (k3s, RKE2).</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Rewrites { get; init; } = [];

    /// <summary>Whether nothing is said of an origin but that it is there: its images are pulled as given anyway.</summary>
    public bool SaysNothing => IsOrigin && Scheme == Uri.UriSchemeHttps && Root == Registry.DefaultApiRoot && !HasTls && Credential.Count == 0;

    /// <param name="url">Perhaps without a scheme.</param>
    /// <param name="place">Where it stands.</param>
    /// <param name="findRoot">The path of the API, from the path of the URL as it is written.</param>
    /// <returns>Null where it is no URL of a registry.</returns>
    public static ImportedEndpoint? Parse(string url, ImportedPlace place, Func<string, string> findRoot)
    {
        var whole = url.Contains("://", StringComparison.Ordinal) ? url : $"https://{url}";
        if (!Uri.TryCreate(whole, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            return null;
        var slash = whole.IndexOf('/', whole.IndexOf("://", StringComparison.Ordinal) + 3);
        return new ImportedEndpoint(uri.Scheme, uri.Authority, place) { Root = findRoot(slash < 0 ? "" : uri.AbsolutePath).Trim('/') };
    }

    /// <summary>Whether it is the host that images of the origin name. Docker Hub answers under another one.</summary>
    public bool IsAt(string origin) => Host == origin || (origin == "docker.io" && Host == "registry-1.docker.io");
}

/// <summary>A line of a file, which remarks on what was imported from it name.</summary>
internal sealed record ImportedPlace(ConfigReport Report, long Line, string Key = "")
{
    /// <summary>The file with its path, for people.</summary>
    public string Path { get; init; } = Report.File;

    /// <summary>Says what is not carried over, so that images may come from elsewhere than before.</summary>
    public void Loss(string text) => Report.Loss(Key, Line, text);

    /// <summary>Says what is to be done besides.</summary>
    public void Note(string text) => Report.Note("", Line, text);

    public void Warning(string text) => Report.Warning(Key, Line, text);

    public ImportedPlace At(long line, string key = "") => this with { Line = line, Key = key };

    public override string ToString() => Line > 0 ? $"{Report.File}:{Line}" : Report.File;
}

/// <summary>The list of registries that another program asks for images of an origin, the first one first.</summary>
/// <param name="Pattern">
/// Which images they are, in the form of <see cref="ImageCriShim.Images.ImagePattern"/>; <c>*</c>: those that no other origin covers.
/// </param>
/// <param name="Endpoints">In the order in which they are tried.</param>
internal sealed record ImportedOrigin(string Pattern, IReadOnlyList<ImportedEndpoint> Endpoints)
{
    public const string Others = "*";

    /// <summary>Whether images that it covers are looked for nowhere else. Without that, it is told only how to reach a host.</summary>
    public bool IsWhole { get; init; } = true;

    public string Host => Pattern.Split('/')[0];

    /// <summary>Whether this origin's images are among those of the other pattern.</summary>
    public bool IsWithin(string pattern)
    {
        var (host, path) = pattern.Split('/', 2) is [var first, var rest] ? (first, rest) : (pattern, "");
        var isBelow = host.StartsWith("*.", StringComparison.Ordinal) && Host.EndsWith(host[1..], StringComparison.Ordinal);
        var isAtHost = host == Others || host == Host || isBelow;
        return Pattern != pattern && isAtHost && (path.Length == 0 || $"{Pattern}/".StartsWith($"{Host}/{path}/", StringComparison.Ordinal));
    }
}
