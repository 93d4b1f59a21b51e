using System.Net.Http.Headers;

namespace ImageCriShim.Registries.Auth;

/// <summary>As whom a registry is asked. Holds a secret, so it has no text form.</summary>
internal sealed class Authorization
{
    private Authorization(AuthenticationHeaderValue? header, string asWhom) => (Header, AsWhom) = (header, asWhom);

    public AuthenticationHeaderValue? Header { get; }

    /// <summary>Ends a sentence about an HTTP status: <c>for user admin</c>.</summary>
    public string AsWhom { get; }

    /// <summary>Not null: the registry cannot be asked, for want of a token.</summary>
    public ProbeResult? Failure { get; private init; }

    /// <summary>What the registry has said that it wants; null: nothing, or Basic.</summary>
    public BearerTerms? Terms { get; private init; }

    /// <summary>The token in the header, and what it was asked for with.</summary>
    public (TokenRequest Request, TokenAnswer Answer)? Token { get; private init; }

    /// <summary>Whether the registry has not said yet that it wants this.</summary>
    public bool IsGuess { get; private init; }

    /// <summary>Whether its answer counts only if it is better than the one before (<see cref="ManifestReply.IsBetterThan"/>).</summary>
    public bool IsTrial { get; private init; }

    /// <summary>Not null: it is for a host that the registry redirects to, and for no other one.</summary>
    public Hop? Start { get; private init; }

    public bool IsBasic => Header?.Scheme == "Basic";

    public static Authorization Nobody(CredentialAnswer account, bool isGuess = false, bool isTrial = false) =>
        new(null, Whom(account)) { IsGuess = isGuess, IsTrial = isTrial };

    public static Authorization Basic(Credential.Password password, CredentialAnswer account, bool isGuess, bool isTrial = false) =>
        new(new AuthenticationHeaderValue("Basic", password.ToBasicParameter()), Whom(account)) { IsGuess = isGuess, IsTrial = isTrial };

    public static Authorization Of(Credential.RegistryToken token, CredentialAnswer account) => CanSend(token.Secret)
        ? new(new AuthenticationHeaderValue("Bearer", token.Secret), Whom(account)) { IsGuess = true }
        : Impossible(new ProbeResult.Denied("its registry token holds characters that a header cannot; see where it comes from"));

    public static Authorization Of(BearerTerms terms, TokenRequest request, TokenAnswer answer, CredentialAnswer account, bool isGuess) =>
        new(new AuthenticationHeaderValue("Bearer", answer.Token!.Value), $"{Whom(account)}, with a token from {request.Realm.Authority}")
        {
            Terms = terms,
            Token = (request, answer),
            IsGuess = isGuess,
        };

    public static Authorization Elsewhere(Hop start, TokenRequest request, TokenAnswer answer) =>
        new(
            new AuthenticationHeaderValue("Bearer", answer.Token!.Value),
            $"from a host that it redirects to, for no user, with a token from {request.Realm.Authority}")
        {
            Start = start,
            Token = (request, answer),
        };

    public static Authorization Impossible(ProbeResult failure) => new(null, "") { Failure = failure };

    /// <summary>Ends a sentence about an HTTP status.</summary>
    public static string Whom(CredentialAnswer account) => account switch
    {
        { Credential: null, Problem: { } problem } => $"without a credential: {problem}",
        { Credential: null } => "for no user",
        { Credential: Credential.Password password } => $"for user {password.ShownName}",
        _ => $"for the {account.Credential}",
    };

    /// <summary>Whether it can be the value of a header: what else is in a token would be an attack, or a file's last newline.</summary>
    public static bool CanSend(string token) => token.Length > 0 && token.All(c => c is > ' ' and <= '~');
}
