using System.Text;

namespace ImageCriShim.Registries.Auth;

/// <summary>A secret for one registry, in one of the forms that registries and runtimes know. Its text form never shows it.</summary>
internal abstract record Credential
{
    private const int LongestShownName = 128;

    private Credential()
    {
    }

    /// <summary>For people: the account, with <c>***</c> for the secret.</summary>
    public abstract override string ToString();

    /// <summary>A user name and a password.</summary>
    public sealed record Password(string Username, string Secret) : Credential
    {
        /// <summary><c>user:password</c>, split at the first colon: passwords may contain colons, user names may not (RFC 7617).</summary>
        public static Password Split(string auth)
        {
            var colon = auth.IndexOf(':');
            return colon < 0 ? new Password(auth, "") { MayBeSecret = true } : new Password(auth[..colon], auth[(colon + 1)..]);
        }

        /// <summary>The parameter of <c>Authorization: Basic</c>. A secret.</summary>
        public string ToBasicParameter() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Secret}"));

        /// <summary>The user name, which a program or a file may have given, for people.</summary>
        public string ShownName => PrintableText.Of(Username, LongestShownName);

        /// <summary>The user name stood alone: it may be meant as the password.</summary>
        private bool MayBeSecret { get; init; }

        public override string ToString() => MayBeSecret ? "***" : $"{ShownName}:***";
    }

    /// <summary>An OAuth2 refresh token, which a token server exchanges for a bearer token (docker calls it so).</summary>
    public sealed record IdentityToken(string Secret) : Credential
    {
        public override string ToString() => "identity token ***";
    }

    /// <summary>A bearer token that the registry takes as it is.</summary>
    public sealed record RegistryToken(string Secret) : Credential
    {
        public override string ToString() => "registry token ***";
    }
}
