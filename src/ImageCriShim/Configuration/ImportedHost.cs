using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>How another program asks a registry, as far as our settings can say it too.</summary>
internal abstract record ImportedHost
{
    /// <summary>Whether the pull by a digest, by a tag, or by both is asked of it.</summary>
    public PullFromMirror PullFromMirror { get; init; }

    /// <summary>The keys of its credential, with secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Credential { get; init; } = [];

    /// <summary>Files with its authorities, and of our own certificate.</summary>
    public IReadOnlyList<string> Ca { get; init; } = [];
    public string? Certificate { get; init; }
    public string? Key { get; init; }
    public bool InsecureSkipVerify { get; init; }

    /// <summary>What the operator should look at.</summary>
    public string? Remark { get; init; }

    public bool HasTls => Ca.Count > 0 || Certificate is not null || InsecureSkipVerify;

    /// <summary>Whether both are asked in the same way.</summary>
    protected bool IsAskedAs(ImportedHost other) =>
        PullFromMirror == other.PullFromMirror && Credential.SequenceEqual(other.Credential) && Ca.SequenceEqual(other.Ca)
        && (Certificate, Key, InsecureSkipVerify) == (other.Certificate, other.Key, other.InsecureSkipVerify);
}
