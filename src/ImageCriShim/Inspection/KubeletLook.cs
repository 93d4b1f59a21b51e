using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>Does kubelet call the shim? What mends it is what <c>install</c> would write.</summary>
internal static class KubeletLook
{
    private const string What = "kubelet";

    public static Finding Look(NodeRoot root, string shim)
    {
        try
        {
            return Look(root, KubeletPointer.Find(root.Files), root.IsThisNode ? RunningKubelet.Find() : null, shim);
        }
        catch (InstallException e) // its files say no runtime, or say it in a way that is not edited
        {
            return Finding.Problem(What, "does not call the shim, as far as its files say", [.. e.Problems.Select(Remedy.Do)]);
        }
    }

    private static Finding Look(NodeRoot root, KubeletPointer kubelet, RunningKubelet? running, string shim)
    {
        if (!kubelet.IsThere && running is null)
            return Finding.Warning(What, "there is none on this node", Remedy.Do("when it is installed, run: image-cri-shim install"));
        var told = kubelet.Told;
        if (told is null && running?.Socket is { } flag && Endpoint.AreSame(flag, shim))
            return Finding.Ok(What, $"calls the shim (process {running.Id})");
        var edits = kubelet.PointAt(shim).Where(edit => edit.ToChange(ChangeOf.Kubelet).IsNeeded).ToList();
        if (edits.Count > 0)
            return Finding.Problem(What, Describe(root, kubelet, told, shim), [.. edits.SelectMany(edit => EditSteps.Of(edit, root.At(edit.Path))), Restart(kubelet, edits)]);
        return running?.Socket is { } socket && !Endpoint.AreSame(socket, shim)
            ? Finding.Problem(What, $"runs with {socket}, not with the shim (process {running.Id})", Restart(kubelet, edits))
            : Finding.Ok(What, $"calls the shim ({Place(root, told)})");
    }

    private static string Describe(NodeRoot root, KubeletPointer kubelet, ToldSocket? told, string shim) => (told, kubelet.Runtime) switch
    {
        ({ } at, _) when Endpoint.AreSame(at.Socket, shim) => $"calls the shim ({Place(root, at)}), but not for images",
        ({ } at, _) => $"calls {at.Socket}, not the shim ({Place(root, at)})",
        (null, { } runtime) => $"calls {runtime}, not the shim",
        _ => "is told of no runtime's socket, so it does not call the shim",
    };

    private static string Place(NodeRoot root, ToldSocket? told) => told is null ? "" : $"{root.At(told.File)}:{told.Line}";

    private static Remedy Restart(KubeletPointer kubelet, IReadOnlyList<TextEdit> edits)
    {
        var unit = Path.GetFileNameWithoutExtension(kubelet.Service);
        return Remedy.Run(edits.Any(edit => SystemdUnits.IsUnit(edit.Path)) ? $"systemctl daemon-reload && systemctl restart {unit}" : $"systemctl restart {unit}");
    }
}
