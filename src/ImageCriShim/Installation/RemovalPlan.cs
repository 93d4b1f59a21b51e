namespace ImageCriShim.Installation;

/// <summary>A file on its way back to what it was.</summary>
/// <param name="Now">What stands there.</param>
/// <param name="Target">What is to stand there; null where it is left alone.</param>
/// <param name="Remark">What the operator is to know of it; null for nothing.</param>
internal sealed record Restoration(BackupEntry Entry, FileState Now, FileState? Target, string? Remark)
{
    public bool IsNeeded => Target is not null && (Target.Fingerprint != Now.Fingerprint || (Target == Entry.Before && !HasItsRights));

    /// <summary>Ours, but neither restored nor meant to stay. What others have made of kubelet's and crictl's settings is theirs.</summary>
    public bool IsLeft => Target is null && !IsKept && Entry.Part == ChangeOf.Shim;

    /// <summary>What the operator has made of the config file is his.</summary>
    public bool IsKept => Entry.Path == ShimConfig.Path && Entry.Before.IsAbsent && Target is null;

    public FileChange ToChange() => new(Entry.Path, Now, Target!, Entry.Part);

    private bool HasItsRights => Now.Content is null || (Now.Mode == Entry.Before.Mode && Now.Owner == Entry.Before.Owner);
}

/// <summary>
/// What undoes an installation. What somebody has changed since is not written over: our lines are taken back, or it is left. Wherever our
/// socket would still be called after that, the runtime's is put in its place.
/// </summary>
/// <param name="KubeletService">The unit that is to be restarted for it.</param>
/// <param name="Runtime">The socket of the runtime that is called from then on; null where it is not known, and need not be.</param>
/// <param name="Shims">Our socket, under each name that it has had.</param>
internal sealed record RemovalPlan(IReadOnlyList<Restoration> Files, string KubeletService, string? Runtime, IReadOnlyList<string> Shims)
{
    /// <summary>Whether there was another shim before us, which is to run again, at the same socket perhaps.</summary>
    public bool HasPredecessor =>
        Files.Any(file => file.Entry.Path.EndsWith(Packaged.Service, StringComparison.Ordinal) && file.Entry.Before.Content is not null);

    public bool IsOfKubelet => Files.Any(file => file.Entry.Part == ChangeOf.Kubelet);

    /// <exception cref="InstallException">Kubelet would call us without us being there. Nothing was changed.</exception>
    public static RemovalPlan Make(NodeFiles files, Backup backup, Systemd systemd)
    {
        var recorded = RecordedSockets.Find(files, backup);
        var restorations = backup.Entries.Select(entry => Restore(entry, files.Read(entry.Path))).ToList();
        var plan = new RemovalPlan(restorations, KubeletUnit.OfKubelet, recorded.Runtime, recorded.Shims);
        var after = files.After(plan.Files.Where(file => file.IsNeeded).Select(file => file.ToChange()));
        var pointer = KubeletPointer.Find(after, systemd);
        var runtime = recorded.Runtime ?? RecordedSockets.FindOther(after, pointer, recorded.Shims);
        plan = plan with { KubeletService = pointer.Service, Runtime = runtime };
        return plan.HasPredecessor ? plan : plan with { Files = new Redirection(files, after, plan).Complete(pointer) };
    }

    private static Restoration Restore(BackupEntry entry, FileState now)
    {
        if (now.Fingerprint == entry.AfterFingerprint || now.Fingerprint == entry.Before.Fingerprint)
            return new Restoration(entry, now, entry.Before, Remark: null);
        if (now is { Content: not null } && entry is { Before.Content: not null, AfterContent: not null } && TakenBack.Find(entry.Before.Content, entry.AfterContent, now.Content) is { } theirs)
            return new Restoration(entry, now, now.With(theirs), $"{entry.Path} was changed since the installation; only our lines are taken back");
        if (now.IsAbsent && entry.Before.IsAbsent)
            return new Restoration(entry, now, now, Remark: null);
        var left = new Restoration(entry, now, Target: null, Remark: null);
        return left with { Remark = left.IsKept ? $"{entry.Path} was changed since the installation and is kept; remove it yourself" : Left(left) };
    }

    private static string Left(Restoration left)
    {
        var what = left.Now.IsAbsent ? "was removed" : "was changed";
        if (!left.IsLeft)
            return $"{left.Entry.Path} {what} since the installation and stays so; it does not name image-cri-shim any more";
        var was = left.Entry.Before is { Content: not null } ? $"what it was is {Backup.Place}/{left.Entry.Before.Fingerprint}" : "it was not there before";
        return $"{left.Entry.Path} {what} since the installation and is left alone; {was}";
    }
}
