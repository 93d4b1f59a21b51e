using System.Text;

namespace ImageCriShim.Registries;

/// <summary>A user name and a password for one registry. Its text form never shows the password.</summary>
internal sealed record Credential(string Username, string Password)
{
    /// <summary><c>user:password</c>, split at the first colon: passwords may contain colons, user names may not (RFC 7617).</summary>
    public static Credential Split(string auth)
    {
        var colon = auth.IndexOf(':');
        return colon < 0 ? new Credential(auth, "") : new Credential(auth[..colon], auth[(colon + 1)..]);
    }

    /// <summary>The parameter of <c>Authorization: Basic</c>. A secret.</summary>
    public string ToBasicParameter() => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}"));

    public override string ToString() => $"{Username}:***";
}
