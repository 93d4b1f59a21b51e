using ImageCriShim.Configuration;
namespace ImageCriShim.Inspection;

/// <summary>Does kubelet call the shim?</summary>
internal static class KubeletLook
{
    private const string What = "kubelet";

    public static IEnumerable<Finding> Look(NodeRoot root, string shim)
    {
        var lines = KubeletEndpoint.Find(root);
        var running = root.IsThisNode ? RunningKubelet.Find() : null;
        if (lines.Count == 0 && running is null && !KubeletEndpoint.IsThere(root))
            return [Finding.Warning(What, "there is none on this node", Remedy.Do($"when it is installed, start it with --container-runtime-endpoint={Endpoint.Of(shim)}"))];
        var runtime = lines.FirstOrDefault(line => !line.IsForImages);
        var images = lines.FirstOrDefault(line => line.IsForImages);
        if (runtime is null && running?.Socket is null)
            return [Finding.Problem(What, "is told of no runtime's socket, so it does not call the shim", [.. Tell(root, shim)])];
        EndpointLine[] wrong = [.. new[] { runtime, images }.OfType<EndpointLine>().Where(line => !SocketPath.AreSame(line.Socket, shim))];
        if (wrong.Length > 0)
            return wrong.Select(line => Mend(root, line, shim));
        return [Running(root, running, runtime, shim)];
    }

    private static Finding Mend(NodeRoot root, EndpointLine line, string shim) => Finding.Problem(
        What,
        $"{(line.IsForImages ? "asks for images at" : "calls")} {line.Socket}, not the shim ({line.Place})",
        line.PointTo(shim),
        Remedy.Run(KubeletEndpoint.RestartCommand(root)));

    private static Finding Running(NodeRoot root, RunningKubelet? running, EndpointLine? line, string shim) => running switch
    {
        { Socket: { } socket } when !SocketPath.AreSame(socket, shim) => Finding.Problem(
            What, $"runs with {socket}, not with the shim (process {running.Id})", Remedy.Run(KubeletEndpoint.RestartCommand(root))),
        _ => Finding.Ok(What, $"calls the shim ({line?.Place ?? $"process {running?.Id}"})"),
    };

    private static IEnumerable<Remedy> Tell(NodeRoot root, string shim)
    {
        var endpoint = Endpoint.Of(shim);
        yield return (FlagsOfKubeadm(root), KubeletEndpoint.RancherConfig(root)) switch
        {
            ({ } flags, _) => Remedy.Replace(flags.File, flags.Number, flags.Text.Insert(flags.Text.LastIndexOf('"'), $" --container-runtime-endpoint={endpoint}")),
            (null, { } rancher) => Remedy.AddBehind(root.At(rancher), 0, $"container-runtime-endpoint: {endpoint}"),
            _ when root.Has(KubeletEndpoint.ConfigFile) => Remedy.AddBehind(root.At(KubeletEndpoint.ConfigFile), 0, $"containerRuntimeEndpoint: {endpoint}"),
            _ => Remedy.Write(root.At(KubeletEndpoint.DebianFlags), $"KUBELET_EXTRA_ARGS=\"--container-runtime-endpoint={endpoint}\""),
        };
        yield return Remedy.Run(KubeletEndpoint.RestartCommand(root));
    }

    private static (string File, int Number, string Text)? FlagsOfKubeadm(NodeRoot root)
    {
        var lines = (root.Read(KubeletEndpoint.KubeadmFlags) ?? "").Split('\n');
        var at = Array.FindIndex(lines, line => line.StartsWith("KUBELET_KUBEADM_ARGS=\"", StringComparison.Ordinal) && line.TrimEnd().EndsWith('"'));
        return at < 0 ? null : (root.At(KubeletEndpoint.KubeadmFlags), at + 1, lines[at]);
    }
}
