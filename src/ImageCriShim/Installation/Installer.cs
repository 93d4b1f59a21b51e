namespace ImageCriShim.Installation;

/// <summary>
/// Carries out a plan: first what is needed to undo it, then our own files, then, once we serve, kubelet's and crictl's. Wherever it is
/// interrupted, the same again completes it.
/// </summary>
internal sealed class Installer(NodeWriter writer, Backup backup, Systemd systemd)
{
    /// <summary>Whether there is something left to do, if only restarts.</summary>
    public bool HasWork(InstallPlan plan) => plan.Changes.Count > 0 || backup.Pending.Count > 0;

    /// <summary>Removes what a run that was killed has left beside files, whichever they were.</summary>
    /// <exception cref="InstallException"/>
    public void RemoveUnfinished()
    {
        foreach (var entry in backup.Entries)
            writer.RemoveUnfinished(entry.Path);
    }

    /// <returns>Whether a shim that ran has handed over to the installed one: what has changed in its unit holds from its next start on.</returns>
    /// <exception cref="InstallException"/>
    public bool Apply(InstallPlan plan)
    {
        RemoveUnfinished();
        backup.Add(plan.Changes);
        (backup.Runtime, backup.Shim) = (plan.Runtime ?? backup.Runtime, plan.Shim);
        backup.Pending = systemd.IsRunning ? [.. Units(plan)] : [];
        backup.Save();

        Write(plan.Changes.Where(change => change.Part == ChangeOf.Shim));
        var isHandedOver = StartShim(plan.Shim); // if we do not start, nobody is pointed at us
        Write(plan.Changes.Where(change => change.Part != ChangeOf.Shim));
        foreach (var unit in backup.Pending.ToList())
            Restart(unit, systemd.TryRestart);
        return isHandedOver;
    }

    /// <summary>The units to be restarted, in this order; those of an earlier run that was interrupted, too.</summary>
    public IEnumerable<string> Units(InstallPlan plan)
    {
        var ours = plan.Changes.Where(change => change.Part == ChangeOf.Shim).ToList();
        if (Pends(Packaged.Socket) || ours.Exists(change => change.Path.EndsWith(Packaged.Socket, StringComparison.Ordinal)))
            yield return Packaged.Socket;
        if (Pends(Packaged.Service) || ours.Count > 0)
            yield return Packaged.Service;
        if (Pends(plan.KubeletService) || plan.Changes.Any(change => change.Part == ChangeOf.Kubelet))
            yield return plan.KubeletService;
    }

    private bool Pends(string unit) => backup.Pending.Contains(unit);

    /// <summary>
    /// A socket that listens already as its unit says is left alone: to restart it is to refuse callers for a moment. So is a process that can hand over.
    /// </summary>
    private bool StartShim(string socket)
    {
        var listens = systemd.Listens(Packaged.Socket, socket);
        if (Pends(Packaged.Socket))
            Restart(Packaged.Socket, listens ? _ => { } : systemd.Restart);
        var handsOver = Pends(Packaged.Service) && listens && RunningShim.CanHandOver(socket);
        if (Pends(Packaged.Service))
            Restart(Packaged.Service, handsOver ? systemd.HandOver : systemd.Restart);
        return handsOver;
    }

    /// <summary>Whoever repeats an installation that was interrupted does not repeat this.</summary>
    private void Restart(string unit, Action<string> restart)
    {
        restart(unit);
        backup.Pending = [.. backup.Pending.Where(other => other != unit)];
        backup.Save();
    }

    private void Write(IEnumerable<FileChange> changes)
    {
        foreach (var change in changes)
        {
            foreach (var directory in writer.MissingAbove(change.Path))
                writer.MakeDirectory(directory);
            writer.Put(change.Path, change.After);
        }
    }
}
