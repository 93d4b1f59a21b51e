using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads where the credential of a registry comes from: one of <see cref="s_sources"/>. No problem here quotes a value, and a file that is not
/// there is none: a node must not go down because a secret is late.
/// </summary>
internal static class CredentialReader
{
    private const string Allowed = "auth: user:password; username with password or passwordFile; identityToken or registryToken, "
        + "or the same with File behind it; dockerConfig; or credentialProvider";

    /// <summary>All of them, which say one thing together.</summary>
    public static ReadOnlySpan<string> Keys => s_keys;

    private static readonly string[] s_sources =
    [
        "auth", "password", "passwordFile", "identityToken", "identityTokenFile", "registryToken", "registryTokenFile",
        "dockerConfig", "credentialProvider",
    ];

    private static readonly string[] s_keys = [.. s_sources, "username"];

    public static CredentialSource? Read(YamlMap map)
    {
        var username = ReadUsername(map);
        var present = s_sources.Where(map.Has).Where(key => key != "auth" || !string.IsNullOrWhiteSpace(map.Text(key, Allowed))).ToList();
        if (present.Count > 1)
            map.Problem(present[^1], $"stands beside {string.Join(" and ", present.SkipLast(1))}; use one of them");
        if (username is not null && present.Count == 0)
            map.Problem("username", $"stands there without a secret; use {Allowed}");
        if (username is not null && present is ["auth" or "dockerConfig" or "credentialProvider", ..])
            map.Problem("username", $"stands beside {present[0]}, which names the user itself; leave it out");
        return present.Select(key => Read(map, key, username)).ToList().FirstOrDefault(); // all are read, for their problems
    }

    private static CredentialSource? Read(YamlMap map, string key, string? username)
    {
        if (key is "password" or "passwordFile" && username is null)
            map.Problem(key, "stands there without username; use both");
        return key switch
        {
            "auth" => ReadAuth(map),
            "password" => ReadPassword(map, key, username ?? ""),
            "passwordFile" => ReadFile(map, key, secret => new Credential.Password(username ?? "", secret)),
            // containerd looks at a token only without a username, so one that stands beside it is not used.
            "identityToken" => ReadToken(map, key, token => new Credential.IdentityToken(token)),
            "identityTokenFile" => ReadFile(map, key, token => new Credential.IdentityToken(token)),
            "registryToken" => ReadToken(map, key, token => new Credential.RegistryToken(token)),
            "registryTokenFile" => ReadFile(map, key, token => new Credential.RegistryToken(token)),
            "dockerConfig" => ReadDockerConfig(map, key),
            _ => CredentialProviderReader.Read(map.Map(key)),
        };
    }

    private static string? ReadUsername(YamlMap map)
    {
        var username = map.Text("username", Allowed);
        if (username is { Length: 0 })
            map.Problem("username", $"is empty; use {Allowed}");
        else if (username?.Contains(':') == true)
            map.Problem("username", "contains a colon, which HTTP does not allow (RFC 7617); use a name without");
        return username;
    }

    private static InlineCredential? ReadAuth(YamlMap map)
    {
        if (map.Text("auth", Allowed)?.TrimStart() is not { } text)
            return null;
        var auth = FileCredential.WithoutNewline(text); // blanks at the end may belong to the password
        if (!auth.Contains(':'))
            map.Warning("auth", "has no colon, so the password is empty; use user:password");
        else if (auth.StartsWith(':'))
            map.Problem("auth", $"has no user name; use {Allowed}");
        return new InlineCredential(Credential.Password.Split(auth), "auth");
    }

    private static InlineCredential? ReadPassword(YamlMap map, string key, string username) =>
        map.Text(key, Allowed) is { } password ? new InlineCredential(new Credential.Password(username, FileCredential.WithoutNewline(password)), key) : null;

    private static InlineCredential? ReadToken(YamlMap map, string key, Func<string, Credential> make)
    {
        var token = map.Text(key, Allowed);
        if (token is { Length: 0 } || token?.Any(char.IsControl) == true)
            map.Problem(key, "is empty or holds a line break; use the token alone");
        return token is null ? null : new InlineCredential(make(token), key);
    }

    private static FileCredential? ReadFile(YamlMap map, string key, Func<string, Credential> make)
    {
        if (ReadPath(map, key) is not { } path)
            return null;
        if (map.Report.ImageHas is null && SmallFile.FindWarning(path) is { } warning)
            map.Warning(key, $"{path} {warning}");
        return new FileCredential(key, path, make);
    }

    private static DockerConfigSource? ReadDockerConfig(YamlMap map, string key)
    {
        if (ReadPath(map, key) is not { } path)
            return null;
        if (map.Report.ImageHas is null && DockerConfigSource.FindWarning(path) is { } warning)
            map.Warning(key, $"{path} {warning}");
        return new DockerConfigSource(path, TimeProvider.System);
    }

    /// <summary>Not quoted where it is none: it may be the secret itself.</summary>
    private static string? ReadPath(YamlMap map, string key)
    {
        const string AbsolutePath = "the absolute path of a file";
        var path = map.Text(key, AbsolutePath);
        if (path is null || (YamlValues.IsAbsolutePath(path) && (IsInDirectory(path) || (map.Report.ImageHas ?? File.Exists)(path))))
            return path;
        map.Problem(key, YamlValues.IsAbsolutePath(path)
            ? $"is no file, and may be a secret that begins with a slash; use {AbsolutePath}, in a directory where it comes later"
            : $"is not an absolute path; use {AbsolutePath}");
        return null;
    }

    /// <summary>Not in the root itself. Random secrets may begin with a slash, and where one stands by mistake it looks like a file there.</summary>
    private static bool IsInDirectory(string path) => path.Trim('/').Contains('/');
}
