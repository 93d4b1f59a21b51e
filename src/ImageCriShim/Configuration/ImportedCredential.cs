using System.Text;

namespace ImageCriShim.Configuration;

/// <summary>A credential of another program's file, in the keys of ours.</summary>
internal static class ImportedCredential
{
    /// <param name="find">Gives what stands under a key of containerd's and k3s's <c>auth</c>; null or empty for nothing.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Read(Func<string, string?> find) => find switch
    {
        _ when (find("identitytoken") ?? find("identity_token")) is { Length: > 0 } token => [new("identityToken", token)],
        _ when find("auth") is { Length: > 0 } packed => [new("auth", Unpack(packed))],
        _ when find("username") is { Length: > 0 } user => [new("username", user), new("password", find("password") ?? "")],
        _ => [],
    };

    /// <summary>docker's form: <c>user:password</c> in base64.</summary>
    public static string Unpack(string packed)
    {
        var octets = new byte[packed.Length];
        return Convert.TryFromBase64String(packed, octets, out var length) ? Encoding.UTF8.GetString(octets, 0, length).TrimEnd('\0') : packed;
    }
}
