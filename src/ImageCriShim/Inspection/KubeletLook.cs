using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>Does kubelet call the shim? What mends it is what <c>install</c> would write.</summary>
internal static partial class KubeletLook
{
    private const string What = "kubelet";

    /// <param name="runtime">The socket of the runtime behind us; null where it is not known.</param>
    public static Finding Look(NodeRoot root, string shim, string? runtime = null)
    {
        try
        {
            var pointer = KubeletPointer.Find(root.Files, Systemd.Of(root.Files));
            return Look(root, pointer, root.IsThisNode ? RunningKubelet.Find(pointer.Service) : null, shim, runtime);
        }
        catch (InstallException e) // its files say no runtime, or say it in a way that is not edited
        {
            return Finding.Problem(What, "does not call the shim, as far as its files say", [.. e.Problems.Select(Remedy.Do)]);
        }
    }

    private static Finding Look(NodeRoot root, KubeletPointer kubelet, RunningKubelet? running, string shim, string? runtime)
    {
        if (UnsupportedNode.Find(root.Files, kubelet.IsThere) is { } unsupported && (running is null || !running.Calls(shim)))
            return Finding.Problem(What, $"is that of {unsupported.Name}, which install does not support", Remedy.Do(unsupported.Advice));
        if (!kubelet.IsThere && running is null)
            return Finding.Warning(What, "there is none on this node", Remedy.Do("when it is installed, run: image-cri-shim install"));
        var told = kubelet.Told;
        if (told is null && running?.Flag is { } flag && Endpoint.AreSame(flag, shim))
            return Finding.Ok(What, $"calls the shim (process {running.Id})");
        var edits = kubelet.PointAt(shim).Where(edit => edit.ToChange(ChangeOf.Kubelet).IsNeeded).ToList();
        if (edits.Count > 0)
        {
            var steps = edits.SelectMany(edit => EditSteps.Of(edit, root.At(edit.Path)));
            return Finding.Problem(What, Describe(root, kubelet, shim, edits), [.. steps, Restart(kubelet, edits)]);
        }

        return running is not null && Elsewhere(running, shim, told?.Socket, runtime) is { } elsewhere
            ? Finding.Problem(What, $"runs with {elsewhere}, not with the shim (process {running.Id})", Restart(kubelet, edits))
            : Finding.Ok(What, $"calls the shim ({(running?.Calls(shim) == true ? $"process {running.Id}; " : "")}{Place(root, told)})");
    }

    /// <summary>
    /// Finds what kubelet really calls: its files may have been changed after it was started. cAdvisor, a part of kubelet, asks the runtime itself,
    /// so a connection there means nothing while there is one to us.
    /// </summary>
    private static string? Elsewhere(RunningKubelet running, string shim, string? told, string? runtime)
    {
        if (running.Calls(shim))
            return null;
        if (running.Flag is { } flag && !Endpoint.AreSame(flag, shim))
            return flag;
        var runtimes = new[] { runtime, told }.Concat(RuntimeDiscovery.WellKnown).OfType<string>().Where(socket => !Endpoint.AreSame(socket, shim));
        return runtimes.FirstOrDefault(running.Calls);
    }

    private static string Describe(NodeRoot root, KubeletPointer kubelet, string shim, IReadOnlyList<TextEdit> edits) => (kubelet.Told, kubelet.Runtime) switch
    {
        ({ } at, _) when Endpoint.AreSame(at.Socket, shim) => $"calls the shim ({Place(root, at)}), but {WhatElse(root, edits)}",
        ({ } at, _) => $"calls {at.Socket}, not the shim ({Place(root, at)})",
        (null, { } runtime) => $"calls {runtime}, not the shim",
        _ => "is told of no runtime's socket, so it does not call the shim",
    };

    private static string WhatElse(NodeRoot root, IReadOnlyList<TextEdit> edits)
    {
        if (edits.FirstOrDefault(edit => Path.GetFileName(edit.Path) == PackageOverride.Name) is { } copy)
            return $"{root.At(copy.Path)} is not what its package has by now";
        var isOfImages = edits.Any(edit => ForImages().IsMatch(TextEdit.TextOf(edit.Before.Content ?? [])));
        return isOfImages ? "not for images" : $"{root.At(edits[0].Path)} says otherwise";
    }

    private static string Place(NodeRoot root, ToldSocket? told) => told is null ? "" : $"{root.At(told.File)}:{told.Line}";

    private static Remedy Restart(KubeletPointer kubelet, IReadOnlyList<TextEdit> edits)
    {
        var unit = Path.GetFileNameWithoutExtension(kubelet.Service);
        return Remedy.Run(edits.Any(edit => SystemdUnits.IsUnit(edit.Path)) ? $"systemctl daemon-reload && systemctl restart {unit}" : $"systemctl restart {unit}");
    }

    [GeneratedRegex("""(?:image-service-endpoint|imageServiceEndpoint)["']?[=:\s]+["']?(?:unix:)?/""")]
    private static partial Regex ForImages();
}
