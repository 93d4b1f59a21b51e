using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// The config file, as anybody may have written it: it gives settings that can be used, or problems that name a line of it; and what stands where
/// a secret belongs is in none of them.
/// </summary>
public sealed partial class FuzzingSettings : FuzzTarget, IDisposable
{
    private const string Secret = "s3cretPassw0rd";

    private static readonly string[] s_secretKeys = ["auth", "password", "identityToken", "registryToken"];

    private static readonly string[] s_pathKeys = ["passwordFile", "identityTokenFile", "registryTokenFile", "dockerConfig"];

    private readonly TempDirectory _directory = new(inMemory: true);

    protected override string Name => "settings";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "address: ", "auth: ", "registries:\n", "  - address: ", "priority: ", "username: ", "password: ", "passwordFile: ",
        "identityToken: ", "registryToken: ", "auth:admin:", "password:", "dockerConfig: ", "credentialProvider:\n",
        "config: ", "binDir: ", "tls:\n", "ca: ", "cert: ", "key: ", "insecureSkipVerify: ", "images: [", "exclude: [", "block: ", "path: ",
        "cache:\n", "imageCacheSize: ", "imageCacheTTL: ", "timeout: ", "shim: ", "cri: ",
        "image: ", "version: ", "names: ", "force: ", "offlineOnly: ", "sync: ", "registry.d: ", "forwardPullSecrets: ", Secret, "admin:"
        + Secret, "'", "\"", "\\0", "\\x00", "\\u0000", "\\uD800", "\u0000", "&a ", "*a", "<<: *a",
        "!!str ", "!x ", "%YAML 1.2\n", "---\n", "...\n", "|\n", ">-\n", "#", ": ", "- ", "? ", "\n  ", "\n", "\t", "[", "]", "{", "}",
        "{a: ", "[[[[[[[[", "- - - - ", "true", "1h30m", "-5", "99999999999", "null", "~",
        "https://sealos.hub:5000/a", "http://[::1]:5000", "unix:///run/a.sock", "docker.io", "*.gcr.io", "{registry}/{repository}",
        "/etc/passwd", "/dev/zero", "/dev/null", "/proc/self/mem", "/", "kind: CredentialProviderConfig\n",
        "apiVersion: credentialprovider.kubelet.k8s.io/v1", "providers:\n", "  - name: ", "matchImages: [", "defaultCacheDuration: ",
        "env:\n", "args: [", "é", "\u2028", "\uFEFF");

    public void Dispose() => _directory.Dispose();

    private protected override string Take(byte[] input)
    {
        var path = _directory.File("image-cri-shim.yaml");
        File.WriteAllBytes(path, input);
        var text = File.ReadAllText(path);
        var result = ConfigFile.Load(path);
        var said = Check(result, text);
        Holds(!IsSecret(text) || !said.Any(line => line.Contains(Secret, StringComparison.Ordinal)),
            $"a secret is shown: {string.Join('\n', said)}");
        var provider = text.Contains("kind", StringComparison.Ordinal) ? TakeProvider(input, text) : "";
        return string.Join(' ', said.Take(6).Select(Kind)) + provider
            + (result.Settings is null ? "" : $" {result.Settings.Registries.Length} {Size(result.Settings.Registries.Sum(r => r.Images.Length))}");
    }

    /// <summary>The same text as the file of kubelet's credential plugins.</summary>
    private string TakeProvider(byte[] input, string text)
    {
        File.WriteAllBytes(_directory.File("provider.yaml"), input);
        var path = _directory.File("image-cri-shim.yaml");
        File.WriteAllText(path, $"address: a.local\ncredentialProvider: {{config: {_directory.File("provider.yaml")}, binDir: /usr/bin}}\n");
        return string.Join(' ', Check(ConfigFile.Load(path), text + "\n\n\n").Take(4).Select(Kind));
    }

    /// <returns>All that there is to say about it.</returns>
    private static string[] Check(ConfigResult result, string text)
    {
        Holds(result.Settings is null == result.Problems.Count > 0, "neither settings nor problems, or both");
        string[] said = [.. result.Problems, .. result.Warnings, .. result.Notes];
        var lines = text.Count(c => c is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029') + 1;
        foreach (var line in said)
        {
            Holds(!line.Any(char.IsControl), $"more than one line: {line}");
            Holds(Place().Match(line) is { Success: true } place && (!place.Groups[1].Success
                || (int.Parse(place.Groups[1].Value) is var number && number >= 1 && number <= lines)), $"a line that is not in the file: {line}");
        }

        if (result.Settings is { } settings)
            CanBeUsed(settings, IsSecret(text));
        return said;
    }

    private static void CanBeUsed(ShimSettings settings, bool isSecret)
    {
        Holds(settings.Registries.Length > 0 && settings.Registries.Count(registry => registry.IsOffline) == 1, "no offline registry");
        Holds(settings.Registries.All(registry => registry.Priority is > 0 and <= Registry.MaxPriority
            && registry.Address.Endpoint.IsAbsoluteUri), "a registry that cannot be asked");
        Holds(settings.Timeout > TimeSpan.Zero && settings.ProbeTimeout > TimeSpan.Zero
            && settings.Cache.ImageCacheSize >= 0, "a bound that is none");
        foreach (var path in new[] { settings.ShimSocket, settings.RuntimeSocket, settings.StateDirectory }.OfType<string>())
            Holds(Path.IsPathRooted(path) && !path.Contains('\0'), $"a path that is none: {path}");
        Holds(!isSecret || settings.Registries.All(registry => !$"{registry} {registry.Credentials}".Contains(Secret,
            StringComparison.Ordinal)), "a secret prints");
    }

    /// <summary>Whether the secret stands only where one belongs. In what is no YAML nobody can tell, so it must not be shown in any
    /// case.</summary>
    private static bool IsSecret(string text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new BoundedParser(new StringReader(text)));
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException or ArgumentException)
        {
            return !e.Message.Contains("Duplicate key", StringComparison.Ordinal); // a key is none, and its name helps
        }

        var (where, seen) = (new List<bool>(), new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
        foreach (var document in yaml.Documents)
            Find(document.RootNode, belongs: false, where, seen);
        return where.TrueForAll(belongs => belongs);
    }

    /// <param name="where">Of each place where the secret stands, whether it belongs there.</param>
    /// <param name="seen">A list may hold itself.</param>
    private static void Find(YamlNode node, bool belongs, List<bool> where, HashSet<YamlNode> seen)
    {
        if (node is YamlScalarNode { Value: { } value } && value.Contains(Secret, StringComparison.Ordinal))
            where.Add(belongs);
        if (node is YamlScalarNode || !seen.Add(node))
            return;
        foreach (var item in node is YamlSequenceNode list ? list.Children : [])
            Find(item, belongs: false, where, seen);
        foreach (KeyValuePair<YamlNode, YamlNode> entry in node is YamlMappingNode map ? map.Children.ToList() : [])
        {
            Find(entry.Key, belongs: IsBehindColon(entry.Key), where, seen);
            Find(entry.Value, Belongs(entry), where, seen);
        }
    }

    /// <summary>A key with its value, where the space between them is missing: <c>auth:admin:S3cret</c>.</summary>
    private static bool IsBehindColon(YamlNode key) =>
        key is YamlScalarNode { Value: { } text } && text.IndexOf(Secret, StringComparison.Ordinal) is var at and > 0 && text.LastIndexOf(':', at) >= 0;

    private static bool Belongs(KeyValuePair<YamlNode, YamlNode> entry) => entry.Key is YamlScalarNode { Value: { } key }
        && (s_secretKeys.Contains(key, StringComparer.OrdinalIgnoreCase)
            || (s_pathKeys.Contains(key, StringComparer.OrdinalIgnoreCase) && !IsInDirectory($"{entry.Value}")));

    /// <summary>A path that is shown, for it helps; anything else in its place may be the secret itself.</summary>
    private static bool IsInDirectory(string path) => path.StartsWith('/') && path.Trim('/').Contains('/');

    // The key, and how what is said ends: what is in between is the operator's own.
    private static string Kind(string line) =>
        $"{Shape(line[..Math.Max(0, line.IndexOf('('))], 8)}{Template(line[Math.Max(0, line.Length - 12)..])}";

    [GeneratedRegex(@"(?:^|\()(?:image-cri-shim|provider)\.yaml(?::(\d+))?\)?: ")]
    private static partial Regex Place();
}
