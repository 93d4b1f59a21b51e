namespace ImageCriShim.Tests.Layouts;

/// <summary>What a node would come up with if its power were cut now: found from its files alone.</summary>
internal static class PowerCut
{
    /// <exception cref="NodeFailure">Its kubelet would call where nobody listens.</exception>
    public static void ShouldLeaveARuntime(NodeTree tree, IEnumerable<string> runtimes)
    {
        var wanted = LoadedUnit.Wanted(tree).Select(name => LoadedUnit.Load(tree, name)).OfType<LoadedUnit>();
        var units = wanted.Where(unit => !unit.IsMasked).ToList();
        var listening = runtimes.Concat(OfTheShim(tree, units)).Select(Plain).ToHashSet();
        foreach (var unit in units.Where(unit => unit.Values("ExecStart").Count > 0))
        {
            var (kubelet, ownRuntime) = Told(tree, unit);
            if (ownRuntime is not null)
                listening.Add(ownRuntime);
            if (kubelet is not null && !(listening.Contains(kubelet.Runtime) && listening.Contains(kubelet.Images)))
                throw new NodeFailure($"{unit.Name} would call {kubelet.Runtime}, for images {kubelet.Images}, where nobody would listen");
        }
    }

    private static (KubeletSettings? Kubelet, string? OwnRuntime) Told(NodeTree tree, LoadedUnit unit)
    {
        var (words, variables) = unit.Command(tree);
        var program = Path.GetFileName(words[0]);
        if (program == "kubelet")
            return (KubeletSettings.Of(tree, words.Skip(1)), null);
        return program is "k3s" or "rke2" && RancherSettings.Of(tree, program, [.. words.Skip(1)], variables) is var settings
            ? (settings.Kubelet, settings.OwnRuntime)
            : (null, null);
    }

    private static IEnumerable<string> OfTheShim(NodeTree tree, List<LoadedUnit> units) =>
        units.Exists(unit => unit.Name == "image-cri-shim.service") && ShimProgram.Start(tree) is { } shim
            ? units.SelectMany(unit => unit.Values("ListenStream")).Append(shim.Socket)
            : [];

    private static string Plain(string socket) =>
        socket.StartsWith("/var/run/", StringComparison.Ordinal) ? socket["/var".Length..] : socket;
}
