namespace ImageCriShim.Registries;

/// <summary>
/// What makes two entries, of one config file or of two, the same registry: where it is, and how it proves who it is. What one has told us is
/// not believed of another.
/// </summary>
internal sealed record RegistryIdentity(Uri Endpoint, TlsSettings Tls)
{
    public static RegistryIdentity Of(Registry registry) => new(registry.Address.Endpoint, registry.Tls);

    /// <summary>Those that settings have as they were before, with the credential that they had.</summary>
    public static HashSet<RegistryIdentity> Unchanged(IReadOnlyCollection<Registry> before, IEnumerable<Registry> now) =>
        [.. now.GroupBy(Of).Where(group => group.All(entry => before.Any(other => IsUnchanged(other, entry)))).Select(group => group.Key)];

    private static bool IsUnchanged(Registry before, Registry now) =>
        before.Address == now.Address && before.Tls == now.Tls
        && (before.Credentials?.IsSameAs(now.Credentials) ?? now.Credentials is null);
}
