using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads the credential of a registry: <c>auth: user:password</c>, or <c>username</c> with <c>password</c>. No problem here
/// quotes a value.
/// </summary>
internal static class CredentialReader
{
    private const string Allowed = "auth: user:password, or username with password";

    public static CredentialSource? Read(YamlMap map)
    {
        var auth = map.Text("auth", Allowed)?.Trim();
        var username = map.Text("username", Allowed);
        var password = map.Text("password", Allowed);

        if (!string.IsNullOrEmpty(auth))
            return FromAuth(map, auth, username, password);
        if (username is null != password is null)
        {
            var (present, absent) = username is null ? ("password", "username") : ("username", "password");
            map.Problem(present, $"stands there without {absent}; use {Allowed}");
        }
        else if (username is { Length: 0 })
        {
            map.Problem("username", $"is empty; use {Allowed}");
        }
        else if (username?.Contains(':') == true)
        {
            map.Problem("username", "contains a colon, which HTTP does not allow (RFC 7617); use a name without");
        }
        return username is null || password is null ? null : new InlineCredential(new Credential.Password(username, password), "password");
    }

    private static InlineCredential FromAuth(YamlMap map, string auth, string? username, string? password)
    {
        if (username is not null || password is not null)
            map.Problem("auth", $"stands beside username or password; use one of them: {Allowed}");
        if (!auth.Contains(':'))
            map.Warning("auth", "has no colon, so the password is empty; use user:password");
        else if (auth.StartsWith(':'))
            map.Problem("auth", $"has no user name; use {Allowed}");
        return new InlineCredential(Credential.Password.Split(auth), "auth");
    }
}
