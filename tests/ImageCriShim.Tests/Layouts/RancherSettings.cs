using System.Text.Json;

namespace ImageCriShim.Tests.Layouts;

/// <summary>What k3s and RKE2 make of their arguments and files, as their pkg/configfilearg does, and the kubelet within.</summary>
/// <param name="OwnRuntime">The socket of the runtime that they start themselves; null where they are given one.</param>
internal sealed record RancherSettings(KubeletSettings Kubelet, string? OwnRuntime)
{
    private const string Containerd = "/run/k3s/containerd/containerd.sock";
    private const string CriDockerd = "/run/k3s/cri-dockerd/cri-dockerd.sock";
    private const string RuntimeFlag = "container-runtime-endpoint";
    private const string ImageFlag = "image-service-endpoint";
    private const string KubeletArgument = "kubelet-arg";

    /// <param name="program"><c>k3s</c> or <c>rke2</c>.</param>
    /// <param name="arguments">With <c>server</c> or <c>agent</c> in front.</param>
    public static RancherSettings Of(
        NodeTree tree, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        if (arguments is not ["server" or "agent", ..])
            throw new NodeFailure($"{program} does not start: it is neither server nor agent");
        var flags = Flags([.. arguments.Skip(1)]);
        var file = variables.GetValueOrDefault($"{program.ToUpperInvariant()}_CONFIG_FILE")
            ?? flags.LastOrDefault(flag => flag.Name is "config" or "c").Value ?? $"/etc/rancher/{program}/config.yaml";
        List<(string Name, string Value)> all = [.. FromFiles(tree, file), .. flags];
        string? Last(string name) => all.LastOrDefault(flag => flag.Name == name).Value;
        var own = Last(RuntimeFlag) is { Length: > 0 } ? null : Last("docker") == "true" ? CriDockerd : Containerd;
        var kubelet = KubeletSettings.Of(tree, [
            $"--{RuntimeFlag}={Last(RuntimeFlag) ?? $"unix://{own}"}",
            .. Last(ImageFlag) is { Length: > 0 } images ? [$"--{ImageFlag}={images}"] : (string[])[],
            .. all.Where(flag => flag.Name == KubeletArgument).Select(flag => $"--{flag.Value.TrimStart('-')}")]);
        var others = all.Where(flag => flag.Name is not (RuntimeFlag or ImageFlag or KubeletArgument));
        var lines = others.Select(flag => $"{flag.Name}={flag.Value}").Order(StringComparer.Ordinal);
        return new RancherSettings(kubelet with { Others = [.. kubelet.Others, .. lines] }, own);
    }

    /// <summary>The file and those in FILE.d; a later one counts more, and a key that ends in <c>+</c> adds to a list.</summary>
    private static IEnumerable<(string Name, string Value)> FromFiles(NodeTree tree, string file)
    {
        var values = new Dictionary<string, List<string>>();
        var files = tree.List($"{file}.d", ".yaml", ".yml").Select(name => $"{file}.d/{name}").Prepend(file).Where(tree.Has);
        foreach (var (key, value) in files.SelectMany(path => KubeletSettings.ReadYaml(tree, path)))
        {
            var name = key.TrimEnd('+');
            values[name] = [.. key.EndsWith('+') ? values.GetValueOrDefault(name, []) : [], .. Items(value)];
        }

        return values.SelectMany(entry => entry.Value.Select(value => (entry.Key, value)));
    }

    private static IEnumerable<string> Items(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind switch
        {
            JsonValueKind.Null => [],
            JsonValueKind.Array => [.. document.RootElement.EnumerateArray().Select(item => $"{item}")],
            _ => [KubeletSettings.Plain(json)],
        };
    }

    private static List<(string Name, string Value)> Flags(string[] arguments)
    {
        var flags = new List<(string Name, string Value)>();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith('-'))
                throw new NodeFailure($"k3s does not start: it does not know {arguments[i]}");
            var parts = arguments[i].TrimStart('-').Split('=', 2);
            var isSwitch = parts.Length == 2 || i + 1 == arguments.Length || arguments[i + 1].StartsWith('-');
            flags.Add((parts[0], parts.Length == 2 ? parts[1] : isSwitch ? "true" : arguments[++i]));
        }

        return flags;
    }
}
