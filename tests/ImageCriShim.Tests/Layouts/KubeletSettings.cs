using System.Collections.Concurrent;
using YamlDotNet.Serialization;

namespace ImageCriShim.Tests.Layouts;

/// <summary>What a kubelet is told when it starts, found as kubelet's cmd/kubelet/app/server.go finds it.</summary>
/// <param name="Runtime">The socket that it calls.</param>
/// <param name="Images">The socket that it calls for images.</param>
/// <param name="Others">All that it is told besides, a line each: by this two kubelets are compared.</param>
internal sealed record KubeletSettings(string Runtime, string Images, IReadOnlyList<string> Others)
{
    private const string RuntimeFlag = "container-runtime-endpoint";
    private const string ImageFlag = "image-service-endpoint";
    private const string RuntimeKey = "containerRuntimeEndpoint";
    private const string ImageKey = "imageServiceEndpoint";
    private const string Default = "unix:///run/containerd/containerd.sock";

    // Of those that may stand without a value, what layouts have.
    private static readonly HashSet<string> s_switches = ["enable-server", "fail-swap-on", "register-node", "rotate-certificates"];

    // The same few texts are read thousands of times.
    private static readonly ConcurrentDictionary<string, Dictionary<string, string>> s_parsed = new();

    public override string ToString() =>
        string.Join('\n', Others.Prepend(Images == Runtime ? Runtime : $"{Runtime}, for images {Images}"));

    /// <summary>A later file of <c>--config-dir</c> counts more than an earlier one or <c>--config</c>, and a flag most.</summary>
    public static KubeletSettings Of(NodeTree tree, IEnumerable<string> arguments)
    {
        var flags = Flags([.. arguments]);
        var settings = flags.TryGetValue("config", out var path) ? ReadSettings(tree, path) : [];
        if (flags.TryGetValue("config-dir", out var directory))
        {
            foreach (var (key, value) in tree.List(directory, ".conf").SelectMany(file => ReadSettings(tree, $"{directory}/{file}")))
                settings[key] = value;
        }

        var runtime = flags.GetValueOrDefault(RuntimeFlag)
            ?? (settings.GetValueOrDefault(RuntimeKey) is { Length: > 0 } said ? said : Default);
        var images = flags.GetValueOrDefault(ImageFlag) ?? settings.GetValueOrDefault(ImageKey) ?? "";
        return new KubeletSettings(SocketOf(runtime), SocketOf(images.Length > 0 ? images : runtime), Rest(flags, settings));
    }

    private static List<string> Rest(Dictionary<string, string> flags, Dictionary<string, string> settings) =>
    [
        .. Lines("--", "=", flags.Where(flag => flag.Key is not (RuntimeFlag or ImageFlag))),
        .. Lines("", ": ", settings.Where(setting => setting.Key is not (RuntimeKey or ImageKey))),
    ];

    private static IEnumerable<string> Lines(string head, string between, IEnumerable<KeyValuePair<string, string>> told) =>
        told.Select(one => $"{head}{one.Key}{between}{one.Value}").Order(StringComparer.Ordinal);

    private static Dictionary<string, string> Flags(string[] arguments)
    {
        var flags = new Dictionary<string, string>();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith('-'))
                throw new NodeFailure($"kubelet does not start: unknown command {arguments[i]}");
            var parts = arguments[i].TrimStart('-').Split('=', 2);
            var value = parts.Length == 2 ? parts[1] : s_switches.Contains(parts[0]) ? "true" : ++i < arguments.Length ? arguments[i]
                : throw new NodeFailure($"kubelet does not start: --{parts[0]} needs a value");
            flags[parts[0].Replace('_', '-')] = value;
        }

        return flags;
    }

    private static Dictionary<string, string> ReadSettings(NodeTree tree, string path)
    {
        var settings = ReadYaml(tree, path);
        return settings.GetValueOrDefault("kind") == "\"KubeletConfiguration\"" && settings.ContainsKey("apiVersion")
            ? settings.ToDictionary(setting => setting.Key, setting => Plain(setting.Value))
            : throw new NodeFailure($"kubelet does not start: {path} has no apiVersion and kind of its settings");
    }

    /// <summary>The top keys of a file, with their values as JSON.</summary>
    public static IReadOnlyDictionary<string, string> ReadYaml(NodeTree tree, string path)
    {
        var text = tree.Read(path) ?? throw new NodeFailure($"kubelet does not start: {path} is missing");
        try
        {
            return s_parsed.GetOrAdd(text, ParseYaml);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new NodeFailure($"{path} is no YAML: {e.Message}\n{text}");
        }
    }

    private static Dictionary<string, string> ParseYaml(string text)
    {
        var map = new DeserializerBuilder().WithDuplicateKeyChecking().Build().Deserialize<Dictionary<string, object?>>(text) ?? [];
        var json = new SerializerBuilder().JsonCompatible().Build();
        return map.ToDictionary(entry => entry.Key, entry => json.Serialize(entry.Value).Trim());
    }

    public static string Plain(string json) => json is ['"', .., '"'] ? json[1..^1] : json;

    private static string SocketOf(string endpoint)
    {
        var path = endpoint.StartsWith("unix:", StringComparison.Ordinal) ? endpoint["unix:".Length..] : endpoint;
        path = path.StartsWith("//", StringComparison.Ordinal) ? path[2..] : path;
        path = path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;
        return path.StartsWith('/') ? path : throw new NodeFailure($"kubelet does not start: {endpoint} is no endpoint");
    }
}
