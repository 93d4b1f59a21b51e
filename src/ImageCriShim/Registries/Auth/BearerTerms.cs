namespace ImageCriShim.Registries.Auth;

/// <summary>On which terms a registry takes bearer tokens, as it said in its last challenge.</summary>
/// <param name="realm">The token server.</param>
/// <param name="service">As the registry calls itself; null where it did not say.</param>
/// <param name="scope">What the token shall allow; null where it did not say.</param>
/// <param name="repository">What was asked for then.</param>
internal sealed class BearerTerms(Realm realm, string? service, string? scope, string repository)
{
    /// <summary>
    /// The token for another repository is asked for without a challenge, so the scope is fitted to it. A scope of another form (ECR
    /// Public: <c>aws</c>) is for all repositories.
    /// </summary>
    public TokenRequest RequestFor(string other, Credential? account, Registry registry) => new(
        RegistryIdentity.Of(registry),
        realm.Uri,
        service,
        string.IsNullOrWhiteSpace(scope)
            ? $"repository:{other}:pull"
            : scope.Replace($"repository:{repository}:", $"repository:{other}:", StringComparison.Ordinal),
        account,
        Redirection.StaysWith(registry.Address.Endpoint, realm.Uri) ? registry.Tls : registry.Tls.ForOtherHosts,
        IsElsewhere: !Redirection.StaysWith(registry.Address.Endpoint, realm.Uri),
        realm.Otherwise);
}
