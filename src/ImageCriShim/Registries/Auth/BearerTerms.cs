namespace ImageCriShim.Registries.Auth;

/// <summary>On which terms a repository is given for bearer tokens, as its registry said in a challenge.</summary>
/// <param name="Realm">The token server.</param>
/// <param name="Service">As the registry calls itself; null where it did not say.</param>
/// <param name="Scope">What the token shall allow; null where it did not say.</param>
/// <param name="Repository">What was asked for then.</param>
internal sealed record BearerTerms(Realm Realm, string? Service, string? Scope, string Repository)
{
    private const string OfRepository = "repository:";

    /// <summary>Whether only the scope may differ, which is another for each repository anyhow.</summary>
    public bool IsSameServer(BearerTerms other) => Realm == other.Realm && Service == other.Service;

    /// <summary>The request for a token for another repository: it is made without a challenge, so the scope is fitted to it.</summary>
    /// <param name="other">The repository.</param>
    /// <param name="account">Whose token it shall be.</param>
    /// <param name="host">The host that the token is for.</param>
    /// <param name="isElsewhere">Whether a registry has named that host, and not the settings.</param>
    /// <returns>Null if these terms do not tell that scope.</returns>
    public TokenRequest? RequestFor(string other, Credential? account, RegistryIdentity host, bool isElsewhere = false)
    {
        var isAtHost = Redirection.StaysWith(host.Endpoint, Realm.Uri);
        var tls = isAtHost ? host.Tls : host.Tls.ForOtherHosts;
        return ScopeFor(other) is { } scope
            ? new TokenRequest(host, Realm.Uri, Service, scope, account, tls, isElsewhere || !isAtHost, Realm.Otherwise)
            : null;
    }

    private string? ScopeFor(string other)
    {
        if (string.IsNullOrWhiteSpace(Scope))
            return $"{OfRepository}{other}:pull";
        if (other == Repository)
            return Scope;
        var parts = Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => FitPart(part, other)).ToList();
        return parts.Contains(null) ? null : string.Join(' ', parts);
    }

    /// <summary>A part of another form (ECR Public: <c>aws</c>) is for all repositories.</summary>
    private string? FitPart(string part, string other)
    {
        var end = part.LastIndexOf(':');
        if (!part.StartsWith(OfRepository, StringComparison.Ordinal) || end < OfRepository.Length)
            return part;
        return FitName(part[OfRepository.Length..end], other) is { } name ? $"{OfRepository}{name}{part[end..]}" : null;
    }

    /// <summary>A gateway may have cut a prefix off, or put one in front: it does the same with the other repository.</summary>
    private string? FitName(string name, string other)
    {
        var (asked, named) = (Repository.Split('/'), name.Split('/'));
        var same = asked.Reverse().Zip(named.Reverse()).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same == 0)
            return name; // not of this repository
        var (cut, put) = (Prefix(asked[..^same]), Prefix(named[..^same]));
        return other.StartsWith(cut, StringComparison.Ordinal) ? put + other[cut.Length..] : null;
    }

    private static string Prefix(string[] parts) => string.Concat(parts.Select(part => $"{part}/"));
}
