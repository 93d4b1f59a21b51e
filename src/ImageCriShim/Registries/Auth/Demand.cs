namespace ImageCriShim.Registries.Auth;

/// <summary>What a repository of a registry wants to be sent.</summary>
/// <param name="Scheme">How it wants to learn who asks.</param>
/// <param name="Terms">On which terms it takes tokens; null: it takes none.</param>
/// <param name="Account">Whose token it has taken.</param>
internal sealed record Demand(AuthScheme Scheme, BearerTerms? Terms = null, Credential? Account = null)
{
    /// <summary>Whether repositories that want the one and the other can be asked in the same way.</summary>
    public bool IsLike(Demand other) =>
        Scheme == other.Scheme && (Terms is null || other.Terms is null ? Terms == other.Terms : Terms.IsSameServer(other.Terms));
}

/// <summary>How a registry wants to learn who asks.</summary>
internal enum AuthScheme
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>RFC 7617.</summary>
    Basic,

    /// <summary>RFC 6750.</summary>
    Bearer,
}

/// <summary>What is known about a repository.</summary>
/// <param name="Demand">What it wants.</param>
/// <param name="IsGuess">Whether that is known of repositories on the same host only, with other paths.</param>
internal readonly record struct KnownDemand(Demand Demand, bool IsGuess);
