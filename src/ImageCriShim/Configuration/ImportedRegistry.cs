namespace ImageCriShim.Configuration;

/// <summary>A registry as the file of another program describes it, in the words of ours.</summary>
/// <param name="Address">With its scheme, and with a path if there is one.</param>
/// <param name="From">Which file says so, for people.</param>
internal sealed record ImportedRegistry(string Address, string From)
{
    /// <summary>Which images are looked for there; null: all.</summary>
    public IReadOnlyList<string>? Images { get; init; } = [];

    /// <summary>The keys of its credential, with secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Credential { get; init; } = [];

    public string? Ca { get; init; }
    public string? Certificate { get; init; }
    public string? Key { get; init; }
    public bool InsecureSkipVerify { get; init; }

    /// <summary>What the operator should look at.</summary>
    public string? Remark { get; init; }

    public string Host => new Uri(Address).Authority;

    /// <summary>The same registry, named by two places: for the images of both.</summary>
    public ImportedRegistry With(ImportedRegistry other) => this with
    {
        Images = Images is null || other.Images is null ? null : [.. Images.Union(other.Images)],
        Credential = Credential.Count > 0 ? Credential : other.Credential,
        Ca = Ca ?? other.Ca,
        Certificate = Certificate ?? other.Certificate,
        Key = Key ?? other.Key,
        InsecureSkipVerify = InsecureSkipVerify || other.InsecureSkipVerify,
        Remark = Remark ?? other.Remark,
    };

    /// <param name="url">Of a mirror, perhaps without a scheme; <c>/v2</c> is the path of the API.</param>
    /// <returns>Null where it is none.</returns>
    public static string? FindAddress(string url)
    {
        if (!Uri.TryCreate(url.Contains("://", StringComparison.Ordinal) ? url : $"https://{url}", UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            return null;
        var path = uri.AbsolutePath.Trim('/');
        if (path == "v2" || path.StartsWith("v2/", StringComparison.Ordinal))
            path = path[2..].Trim('/');
        return $"{uri.Scheme}://{uri.Authority}{(path.Length == 0 ? "" : $"/{path}")}";
    }
}
