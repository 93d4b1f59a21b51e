namespace ImageCriShim.Tests.Layouts;

/// <summary>What a node would come up with if its power were cut now: found from its files alone.</summary>
internal static class PowerCut
{
    /// <exception cref="NodeFailure">Its kubelet would call where nobody listens.</exception>
    public static void ShouldLeaveARuntime(NodeTree tree, IEnumerable<string> runtimes)
    {
        var units = LoadedUnit.Wanted(tree).Select(name => LoadedUnit.Load(tree, name)).OfType<LoadedUnit>().Where(unit => !unit.IsMasked).ToList();
        var listening = runtimes.Select(Plain).ToHashSet();
        if (units.Exists(unit => unit.Name == "image-cri-shim.service"))
            listening.UnionWith(ListeningForTheShim(tree, units));
        var programs = units.Where(unit => unit.Values("ExecStart").Count > 0).Select(unit => (unit.Name, Command: unit.Command(tree)));
        foreach (var (name, (words, variables)) in programs)
        {
            var (kubelet, own) = Told(tree, words, variables);
            if (own is not null)
                listening.Add(own);
            foreach (var socket in kubelet is null ? [] : new[] { kubelet.Runtime, kubelet.Images }.Where(socket => !listening.Contains(Plain(socket))))
                throw new NodeFailure($"{name} would call {socket}, where nobody would listen");
        }
    }

    private static (KubeletSettings? Kubelet, string? OwnRuntime) Told(NodeTree tree, IReadOnlyList<string> words, IReadOnlyDictionary<string, string> variables)
    {
        if (Path.GetFileName(words[0]) == "kubelet")
            return (KubeletSettings.Of(tree, words.Skip(1)), null);
        return Path.GetFileName(words[0]) is "k3s" or "rke2" && RancherSettings.Of(tree, Path.GetFileName(words[0]), [.. words.Skip(1)], variables) is var settings
            ? (settings.Kubelet, settings.OwnRuntime)
            : (null, null);
    }

    private static IEnumerable<string> ListeningForTheShim(NodeTree tree, List<LoadedUnit> units)
    {
        try
        {
            var shim = ShimProgram.Start(tree);
            return [.. units.SelectMany(unit => unit.Values("ListenStream")).Append(shim.Socket).Select(Plain)];
        }
        catch (NodeFailure)
        {
            return []; // which does no harm if nobody calls it
        }
    }

    private static string Plain(string socket) => socket.StartsWith("/var/run/", StringComparison.Ordinal) ? socket["/var".Length..] : socket;
}
