using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>A registry as the files of other programs describe it, in the words of ours.</summary>
/// <param name="Address">With its scheme, and with a path if there is one.</param>
/// <param name="Place">Where it was found first.</param>
internal sealed record ImportedRegistry(string Address, ImportedPlace Place) : ImportedHost
{
    public const string WholeRepository = "{repository}";
    public const string RestOfRepository = "{rest}";

    /// <summary>Which images are looked for there.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Which of those are not.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    public string Path { get; init; } = WholeRepository;
    public string ApiRoot { get; init; } = Registry.DefaultApiRoot;
    public bool SendsNamespace { get; init; }

    public string Host => new Uri(Address).Authority;

    /// <summary>What our settings have one entry for, whatever the scheme.</summary>
    public string Identity => $"{Address[Address.IndexOf("://", StringComparison.Ordinal)..]} {ApiRoot}";

    /// <param name="endpoint">Of an origin.</param>
    /// <param name="pattern">The origin's.</param>
    /// <param name="sendsNamespace">Whether it tells the origin as containerd does, and the runtime goes there by its own list.</param>
    public static ImportedRegistry Of(ImportedEndpoint endpoint, string pattern, bool sendsNamespace)
    {
        var (root, repository) = (endpoint.Root, endpoint.Repository);
        if (!sendsNamespace && !endpoint.IsOrigin && root != Registry.DefaultApiRoot)
            (root, repository) = (Registry.DefaultApiRoot, $"{root[(Registry.DefaultApiRoot.Length + 1)..]}/{repository}".TrimEnd('/'));
        return new ImportedRegistry($"{endpoint.Scheme}://{endpoint.Host}{(repository.Length == 0 ? "" : $"/{repository}")}", endpoint.Place)
        {
            Images = [pattern],
            Path = endpoint.Path,
            ApiRoot = root,
            SendsNamespace = sendsNamespace,
            PullFromMirror = endpoint.PullFromMirror,
            Credential = endpoint.Credential,
            Ca = endpoint.Ca,
            Certificate = endpoint.Certificate,
            Key = endpoint.Key,
            InsecureSkipVerify = endpoint.InsecureSkipVerify,
            Remark = endpoint.Remark,
        };
    }

    /// <summary>Whether images can be looked for there by a name <c>host/path/repository</c> alone.</summary>
    public static bool CanBeNamed(ImportedEndpoint endpoint) =>
        endpoint.Root == Registry.DefaultApiRoot
        || (endpoint.Root.StartsWith($"{Registry.DefaultApiRoot}/", StringComparison.Ordinal) && ReferenceGrammar.IsRepository(endpoint.Root[3..]));

    /// <summary>The same registry for the images of another origin too; null where one entry cannot say both.</summary>
    public ImportedRegistry? With(ImportedRegistry other)
    {
        var path = Path == other.Path ? Path : FindPathOfBoth(other);
        return path is null || Address != other.Address || !IsAskedAs(other) ? null : this with
        {
            Images = [.. Images.Union(other.Images)],
            Path = path,
            SendsNamespace = SendsNamespace || other.SendsNamespace,
            Remark = Remark ?? other.Remark,
        };
    }

    /// <summary>Behind the pattern of a host alone follows the whole repository.</summary>
    private string? FindPathOfBoth(ImportedRegistry other) =>
        this is { Path: WholeRepository or RestOfRepository } && other is { Path: WholeRepository or RestOfRepository }
        && (Path == RestOfRepository || Images.All(IsHost)) && (other.Path == RestOfRepository || other.Images.All(IsHost))
            ? RestOfRepository
            : null;

    private static bool IsHost(string pattern) => !pattern.Contains('/');
}
