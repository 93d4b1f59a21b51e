using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Relay;

namespace ImageCriShim.Inspection;

/// <summary>Is there a runtime, does it answer, and in which versions of CRI?</summary>
internal static class RuntimeLook
{
    private const string What = "runtime";

    /// <param name="settings">Which may name it.</param>
    /// <param name="wellKnown">Where it is looked for otherwise.</param>
    /// <param name="cancellation">Nobody wants to know any more.</param>
    /// <returns>What answers, if anything does.</returns>
    public static async Task<(Finding Finding, RuntimeAnswers? Runtime)> Look(ShimSettings settings, IReadOnlyList<string> wellKnown, CancellationToken cancellation)
    {
        var problem = "";
        if ((settings.RuntimeSocket ?? RuntimeDiscovery.Find(wellKnown, TimeProvider.System, out problem)) is not { } path)
            return (NotFound(problem, wellKnown), null);
        if (new RuntimeSocket(path, TimeProvider.System).WhyAway() is { } away)
            return (Finding.Problem(What, away, Start(path)), null);
        var runtime = new RuntimeAnswers(path, settings.ProbeTimeout);
        if (await runtime.Ask(settings.Version, cancellation) is not { } silence)
            return (Finding.Ok(What, $"{path} is {runtime.Name} {runtime.Version}, which speaks CRI {string.Join(" and ", runtime.Versions)}"), runtime);
        runtime.Dispose();
        return (Finding.Problem(What, $"{path} does not speak CRI: {silence}", [.. Speak(path, settings.Version)]), null);
    }

    private static Finding NotFound(string problem, IReadOnlyList<string> wellKnown)
    {
        var there = wellKnown.Where(path => FileIdentity.Find(path) is { IsSocket: true }).ToList();
        return Finding.Problem(What, problem, there.Count > 1
            ? Remedy.Do($"name the one that kubelet is to use in the config file, such as cri: {there[0]}")
            : Remedy.Do("start the container runtime, or name its socket in the config file, such as cri: /run/containerd/containerd.sock"));
    }

    private static Remedy Start(string path) => Path.GetFileNameWithoutExtension(path) switch
    {
        "containerd" or "crio" => Remedy.Run($"systemctl start {Path.GetFileNameWithoutExtension(path)}"),
        "cri-dockerd" => Remedy.Run("systemctl start cri-docker"),
        _ => Remedy.Do("start the container runtime, or mend cri: in the config file"),
    };

    private static IEnumerable<Remedy> Speak(string path, CriVersion setting)
    {
        if (setting is not CriVersion.Auto)
            yield return Remedy.Do("take version: out of the config file, so that it is found out");
        if (path.Contains("containerd", StringComparison.Ordinal))
            yield return Remedy.Do("take \"cri\" out of disabled_plugins in /etc/containerd/config.toml, where packages of docker put it, and restart containerd");
        else
            yield return Remedy.Do("look at the runtime's log");
    }
}
