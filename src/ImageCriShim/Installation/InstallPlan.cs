using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Registries;

namespace ImageCriShim.Installation;

/// <summary>What an operator asks of an installation.</summary>
/// <param name="Program">The file that is running.</param>
/// <param name="Cri">The runtime's socket; null: to be found.</param>
/// <param name="Address">Of the offline registry; needed where there is no config file yet.</param>
/// <param name="AuthFile">Its user and password.</param>
internal sealed record InstallWish(string Program, string? Cri, string? Address, string? AuthFile);

/// <summary>Everything that is to be changed on a node so that its images come through us. Making it changes nothing.</summary>
/// <param name="Changes">Only what is needed, ours first.</param>
/// <param name="KubeletService">The unit that is to be restarted where kubelet is pointed elsewhere.</param>
/// <param name="Runtime">The socket of the runtime behind us; null where only we are called: then an earlier installation has written it down.</param>
/// <param name="Shim">Our socket.</param>
internal sealed record InstallPlan(IReadOnlyList<FileChange> Changes, string KubeletService, string? Runtime, string Shim)
{
    /// <exception cref="InstallException"/>
    public static InstallPlan Make(NodeFiles files, InstallWish wish, Systemd systemd)
    {
        var config = new ShimConfig(files);
        var settings = config.Load();
        var socket = (settings ?? new ShimSettings { Registries = [] }).ShimSocket;
        var pointer = KubeletPointer.Find(files, systemd);
        if (UnsupportedNode.Find(files, pointer.IsThere) is { } unsupported)
            throw new InstallException(unsupported.Problem);
        var crictl = new CrictlFile(files);
        string?[] called = [pointer.Told?.Socket, pointer.Runtime, crictl.Runtime];
        var runtime = FindRuntime(files, wish, settings, socket, called, out var problem);
        if (FindOther(wish, settings, RuntimeFinder.FindCalled(socket, [pointer.Told?.Socket ?? pointer.Runtime])) is { } other)
            problem = other;
        Check(wish, settings, problem);

        var changes = new List<FileChange?> { new ShimProgram(files).Change(wish.Program) };
        if (settings is null)
            changes.Add(config.Create(runtime!, wish.Address!, wish.AuthFile));
        changes.AddRange(new ShimUnits(files).Changes(socket));
        changes.Add(crictl.PointAt(socket).ToChange(ChangeOf.Crictl));
        changes.AddRange(pointer.PointAt(socket).Select(edit => edit.ToChange(ChangeOf.Kubelet)));
        return new InstallPlan([.. changes.OfType<FileChange>().Where(change => change.IsNeeded)], pointer.Service, runtime, socket);
    }

    private static string? FindRuntime(NodeFiles files, InstallWish wish, ShimSettings? settings, string socket, IEnumerable<string?> called, out string problem)
    {
        problem = "";
        if ((wish.Cri ?? settings?.RuntimeSocket) is { } said)
            return Endpoint.PathOf(said);
        var finder = new RuntimeFinder(files, new SystemdUnits(files));
        var found = RuntimeFinder.FindCalled(socket, called);
        if (settings is null)
        {
            found ??= finder.Find(out problem);
            problem = found is null ? $"{problem}: --cri PATH" : "";
        }
        // The daemon looks for itself where the file says nothing, and only at the well-known places.
        else if (found is not null && !RuntimeDiscovery.WellKnown.Any(path => Endpoint.AreSame(path, found)))
            problem = $"{ShimConfig.Path} does not say where the runtime is, and is never changed by install; write cri: {found} into it";
        else if (finder.AreSeveral(out problem))
            problem = $"{problem}: {ShimConfig.Path} is never changed by install; write cri: {found ?? "PATH"} into it";
        else
            problem = "";
        return found;
    }

    /// <summary>The pods of this node are those of the runtime that kubelet calls: behind another one they would be gone.</summary>
    /// <param name="called">By kubelet now; null if that is us, or not known.</param>
    /// <returns>What to do; null if kubelet keeps its runtime.</returns>
    private static string? FindOther(InstallWish wish, ShimSettings? settings, string? called) =>
        wish.Cri is null && called is not null && settings?.RuntimeSocket is { } said && !Endpoint.AreSame(called, said)
            ? $"kubelet calls {called}, but {ShimConfig.Path} says cri: {said}, and is never changed by install; write cri: {called} into it, or point kubelet at {said} first"
            : null;

    private static void Check(InstallWish wish, ShimSettings? settings, string runtimeProblem)
    {
        var problems = new List<string>();
        if (settings is null && wish.Address is null)
        {
            problems.Add($"{ShimConfig.Path} is not there yet, and what is to stand in it is not known: say where the offline registry is, --address URL, "
                + "and, if it asks who calls, --auth-file FILE with user:password in it");
        }

        if (wish.Address is { } address && ShimConfig.WhyNoAddress(address) is { } wrong)
            problems.Add(wrong);
        else if (settings is not null && wish.Address is not null && RegistryAddress.TryParse(wish.Address, out var wished, out _) && !wished.Equals(settings.Offline.Address))
            problems.Add($"{ShimConfig.Path} says another address, and is never changed by install; write address: {wish.Address} into it, or leave out --address");
        if (settings is not null && wish.Cri is not null && settings.RuntimeSocket is { } said && !Endpoint.AreSame(said, wish.Cri))
            problems.Add($"{ShimConfig.Path} says cri: {said}, and is never changed by install; write cri: {wish.Cri} into it, or leave out --cri");
        if (wish.Cri is not null && !Endpoint.PathOf(wish.Cri).StartsWith('/'))
            problems.Add($"--cri: {wish.Cri} is not the path of a socket; use an absolute path, with or without unix:// in front");
        var isOfSettings = problems.Count > 0;
        if (runtimeProblem.Length > 0)
            problems.Add(runtimeProblem);
        if (problems.Count > 0)
            throw new InstallException(problems, isOfSettings ? InstallException.BadSettings : InstallException.Failed);
    }
}
