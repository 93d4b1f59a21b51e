namespace ImageCriShim.Installation;

/// <summary>
/// Undoes an installation: kubelet and crictl first, so that nobody calls us any more when we stop, then our own files. Wherever it is
/// interrupted, the same again completes it, since the backup goes last.
/// </summary>
internal sealed class Remover(NodeFiles files, NodeWriter writer, Backup backup, Systemd systemd)
{
    /// <summary>Points kubelet and crictl back. Ours stays, so that whoever still calls us is answered.</summary>
    /// <exception cref="InstallException"/>
    public void PointBack(RemovalPlan plan)
    {
        foreach (var file in plan.Files)
            writer.RemoveUnfinished(file.Entry.Path);
        if (plan.IsOfKubelet && systemd.IsRunning && !backup.Pending.Contains(plan.KubeletService))
        {
            backup.Pending = [.. backup.Pending, plan.KubeletService];
            backup.Save();
        }

        Restore(plan.Files.Where(file => file.Entry.Part != ChangeOf.Shim));
        if (plan.IsOfKubelet || backup.Pending.Contains(plan.KubeletService))
            systemd.TryRestart(plan.KubeletService);
    }

    /// <summary>Removes what is ours, once nobody calls us any more.</summary>
    /// <exception cref="InstallException"/>
    public void RemoveOurs(RemovalPlan plan)
    {
        systemd.StopShim();
        if (systemd.IsRunning && new ShimUnits(files).FindSocket() is { } socket)
            writer.Remove(socket);
        Restore(plan.Files.Where(file => file.Entry.Part == ChangeOf.Shim));
        systemd.Reload();
        if (plan.HasPredecessor)
            systemd.Restart(Packaged.Service);
        Finish(plan);
    }

    /// <summary>What a run that was killed before its first change has left.</summary>
    public void RemoveRemains() => backup.Remove();

    private void Finish(RemovalPlan plan)
    {
        RemoveDirectories();
        if (!plan.Files.Any(file => file.IsLeft))
        {
            RemoveState();
            backup.Remove();
            return;
        }

        backup.Entries.Clear();
        backup.Entries.AddRange(plan.Files.Where(file => file.IsLeft).Select(file => file.Entry));
        backup.Pending = [];
        backup.Save();
    }

    private void Restore(IEnumerable<Restoration> restorations)
    {
        foreach (var file in restorations.Where(file => file.IsNeeded))
        {
            if (file.Target!.IsAbsent)
                writer.Remove(file.Entry.Path);
            else
                writer.Put(file.Entry.Path, file.Target);
        }
    }

    /// <summary>Those that we made, the innermost first, if nobody has put anything into them.</summary>
    private void RemoveDirectories()
    {
        foreach (var directory in Enumerable.Reverse(backup.Directories).Where(made => !$"{backup.State}/".StartsWith($"{made}/", StringComparison.Ordinal)))
            writer.RemoveDirectoryIfEmpty(directory);
    }

    /// <summary>What the daemon knew, if its directory came with it.</summary>
    private void RemoveState()
    {
        if (!backup.Directories.Contains(backup.State))
            return;
        foreach (var file in files.List(backup.State, "*").ToList())
            writer.Remove(file);
    }
}
