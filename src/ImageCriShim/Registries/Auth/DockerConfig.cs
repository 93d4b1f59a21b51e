using System.Text;
using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// docker's <c>config.json</c> as far as it is about credentials (docker/cli, "docker login"; paths and <c>*</c> as kubelet reads them,
/// kubernetes.io "Interpretation of config.json").
/// </summary>
internal sealed class DockerConfig
{
    private static readonly string[] s_keys = ["auths", "credHelpers", "credsStore"];

    private readonly Dictionary<string, string> _helpers = []; // by host
    private readonly List<(ImageGlob For, JsonElement Entry)> _entries = [];
    private string? _store;

    private DockerConfig()
    {
    }

    /// <param name="json">The file.</param>
    /// <param name="problem">What is wrong with it, to follow its path in a sentence.</param>
    /// <returns>Null where it is not understood.</returns>
    public static DockerConfig? TryParse(byte[] json, out string problem)
    {
        problem = "";
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return Read(document.RootElement.Clone());
            problem = "is not docker's config.json: it holds no object";
        }
        catch (JsonException e)
        {
            problem = $"is not JSON (line {e.LineNumber + 1})";
        }
        return null;
    }

    /// <summary>The helper that docker asks for this host: its own, else the one for all.</summary>
    /// <returns>Null where the file itself holds the credentials.</returns>
    public string? FindHelper(string host)
    {
        var helper = _helpers.GetValueOrDefault(host.ToLowerInvariant(), _store ?? "");
        return helper.Length == 0 ? null : helper;
    }

    /// <summary>The entry that is most especially for the image.</summary>
    /// <param name="image">The image's name at the registry.</param>
    /// <param name="problem">Of the entry; null where all is well.</param>
    public Credential? Find(Reference image, out string? problem)
    {
        foreach (var (glob, entry) in _entries.Where(e => e.For.Matches(image, wholeSegments: true)))
        {
            if (ReadEntry(entry, out var isSound) is { } credential)
                return Ok(credential, out problem);
            if (isSound)
                continue; // docker leaves {} where a helper has the secret
            problem = $"the auth of {glob} is not the base64 of user:password";
            return null;
        }
        return Ok(null, out problem);
    }

    private static DockerConfig Read(JsonElement root)
    {
        var config = new DockerConfig { _store = root.Text("credsStore") };
        foreach (var (host, helper) in root.Members("credHelpers"))
        {
            if (ImageGlob.TryParse(host, out var glob) && helper.Text() is { } name)
                config._helpers[glob.Host] = name;
        }
        foreach (var (images, entry) in Entries(root))
        {
            if (ImageGlob.TryParse(images, out var glob))
                config._entries.Add((glob, entry));
        }
        config._entries.Sort((one, other) => string.CompareOrdinal($"{other.For}", $"{one.For}"));
        return config;
    }

    /// <summary>Those of <c>auths</c>; in a <c>.dockercfg</c>, which docker wrote before 1.7, they are all that there is.</summary>
    private static IEnumerable<(string Images, JsonElement Entry)> Entries(JsonElement root)
    {
        var all = root.Members().ToList();
        var isNew = all.Exists(member => s_keys.Contains(member.Name, StringComparer.OrdinalIgnoreCase));
        return isNew ? root.Members("auths") : all.Where(member => ReadEntry(member.Value, out var isSound) is not null || !isSound);
    }

    private static Credential? ReadEntry(JsonElement entry, out bool isSound)
    {
        isSound = true;
        if (entry.Text("registrytoken") is { Length: > 0 } registryToken)
            return new Credential.RegistryToken(registryToken);
        if (entry.Text("identitytoken") is { Length: > 0 } identityToken)
            return new Credential.IdentityToken(identityToken);
        if (entry.Text("auth") is { Length: > 0 } auth)
            return Decode(auth, out isSound);
        return entry.Text("username") is { Length: > 0 } username ? new Credential.Password(username, entry.Text("password") ?? "") : null;
    }

    private static Credential.Password? Decode(string auth, out bool isSound)
    {
        var bytes = new byte[auth.Length];
        isSound = Convert.TryFromBase64String(auth, bytes, out var length);
        var text = isSound ? Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\0') : "";
        isSound = text.IndexOf(':') > 0;
        return isSound ? Credential.Password.Split(text) : null;
    }

    private static Credential? Ok(Credential? credential, out string? problem)
    {
        problem = null;
        return credential;
    }
}
