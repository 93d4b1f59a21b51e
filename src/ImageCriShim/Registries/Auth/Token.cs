namespace ImageCriShim.Registries.Auth;

/// <summary>What a bearer token is asked for with. Two that are equal get the same token.</summary>
/// <param name="Registry">For which it is.</param>
/// <param name="Realm">The token server.</param>
/// <param name="Service">As the registry calls itself; null where it did not say.</param>
/// <param name="Scope">What the token shall allow, such as <c>repository:library/nginx:pull</c>.</param>
/// <param name="Account">Whose it shall be; null: nobody's.</param>
/// <param name="Tls">How the token server proves who it is.</param>
/// <param name="IsElsewhere">Whether that is another host than the registry.</param>
/// <param name="Otherwise">Where to ask if there is no token server; null: nowhere.</param>
internal sealed record TokenRequest(
    RegistryIdentity Registry,
    Uri Realm,
    string? Service,
    string Scope,
    Credential? Account,
    TlsSettings Tls,
    bool IsElsewhere = false,
    Uri? Otherwise = null);

/// <summary>A bearer token: a secret, so it has no text form.</summary>
/// <param name="value">As it is sent.</param>
/// <param name="since">When it came, by the time provider's monotonic clock.</param>
/// <param name="lifetime">How long it is valid, counted from then.</param>
internal sealed class Token(string value, long since, TimeSpan lifetime)
{
    /// <summary>The request that carries it must still arrive in time.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_youth = TimeSpan.FromSeconds(10); // shorter than any token lives

    public string Value => value;

    public bool IsValid(TimeProvider time) => time.GetElapsedTime(since) < lifetime - s_margin;

    /// <summary>Whether it cannot be old age that a registry dislikes about it.</summary>
    public bool IsYoung(TimeProvider time) => time.GetElapsedTime(since) < s_youth;
}

/// <summary>A token, or why there is none.</summary>
/// <param name="Token">Null: there is a failure.</param>
/// <param name="Failure">Null: there is a token.</param>
/// <param name="IsNew">Whether it was made for this question, so that another would be no better.</param>
internal readonly record struct TokenAnswer(Token? Token, ProbeResult? Failure, bool IsNew)
{
    public static TokenAnswer Of(Token token, bool isNew) => new(token, null, isNew);

    public static TokenAnswer No(ProbeResult failure) => new(null, failure, true);
}
