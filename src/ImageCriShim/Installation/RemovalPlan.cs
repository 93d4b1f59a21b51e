namespace ImageCriShim.Installation;

/// <summary>A file on its way back to what it was.</summary>
/// <param name="Now">What stands there.</param>
/// <param name="Target">What is to stand there; null where it is left alone.</param>
/// <param name="Remark">What the operator is to know of it; null for nothing.</param>
internal sealed record Restoration(BackupEntry Entry, FileState Now, FileState? Target, string? Remark)
{
    public bool IsNeeded => Target is not null && (Target.Fingerprint != Now.Fingerprint || (Target == Entry.Before && !HasItsRights));

    /// <summary>Neither restored nor meant to stay.</summary>
    public bool IsLeft => Target is null && !IsKept;

    /// <summary>What the operator has made of the config file is his.</summary>
    public bool IsKept => Entry.Path == ShimConfig.Path && Entry.Before.IsAbsent && Target is null;

    public FileChange ToChange() => new(Entry.Path, Now, Target!, Entry.Part);

    private bool HasItsRights => Now.Content is null || (Now.Mode == Entry.Before.Mode && Now.Owner == Entry.Before.Owner);
}

/// <summary>What undoes an installation. What somebody has changed since is not written over: our lines are taken back, or it is left.</summary>
internal sealed record RemovalPlan(IReadOnlyList<Restoration> Files)
{
    public static RemovalPlan Make(NodeFiles files, Backup backup) => new([.. backup.Entries.Select(entry => Restore(entry, files.Read(entry.Path)))]);

    private static Restoration Restore(BackupEntry entry, FileState now)
    {
        if (now.Fingerprint == entry.AfterFingerprint || now.Fingerprint == entry.Before.Fingerprint)
            return new Restoration(entry, now, entry.Before, Remark: null);
        if (now is { Content: not null } && entry is { Before.Content: not null, AfterContent: not null } && TakenBack.Find(entry.Before.Content, entry.AfterContent, now.Content) is { } theirs)
            return new Restoration(entry, now, now.With(theirs), $"{entry.Path} was changed since the installation; only our lines are taken back");
        if (now.IsAbsent && entry.Before.IsAbsent)
            return new Restoration(entry, now, now, Remark: null);
        var left = new Restoration(entry, now, Target: null, Remark: null);
        return left with { Remark = left.IsKept ? $"{entry.Path} was changed since the installation and is kept; remove it yourself" : Left(entry, now) };
    }

    private static string Left(BackupEntry entry, FileState now)
    {
        var what = now.IsAbsent ? "was removed" : "was changed";
        var was = entry.Before is { Content: not null } ? $"what it was is {Backup.Place}/{entry.Before.Fingerprint}" : "it was not there before";
        return $"{entry.Path} {what} since the installation and is left alone; {was}";
    }
}
