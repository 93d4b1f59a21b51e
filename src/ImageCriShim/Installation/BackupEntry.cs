namespace ImageCriShim.Installation;

/// <summary>What a file was before we changed it, and what we made of it.</summary>
/// <param name="AfterFingerprint">By which it is known whether somebody has changed it since.</param>
/// <param name="AfterContent">Kept of what was edited in place, so that our lines can be told from others'; null of all else.</param>
internal sealed record BackupEntry(string Path, ChangeOf Part, FileState Before, string AfterFingerprint, byte[]? AfterContent)
{
    private const int EditedAtMost = 1024 * 1024; // as large as settings may be; what is larger is a program

    public static BackupEntry Of(FileChange change)
    {
        var isEdited = change.Before.Content is { Length: <= EditedAtMost } && change.After.Content is { Length: <= EditedAtMost };
        return new BackupEntry(change.Path, change.Part, change.Before, change.After.Fingerprint, isEdited ? change.After.Content : null);
    }

    /// <summary>
    /// The same file changed once more. What it was before is what it was before the first time; but where others have written to it since,
    /// what they wrote is to come back, without our lines.
    /// </summary>
    public BackupEntry Again(FileChange change)
    {
        var now = change.Before;
        if (now.Fingerprint == AfterFingerprint || now.Fingerprint == Before.Fingerprint || Part == ChangeOf.Shim || now.Content is null || AfterContent is null)
            return Of(change with { Before = Before });
        var theirs = TakenBack.Find(Before.Content!, AfterContent, now.Content) ?? now.Content;
        return Of(change with { Before = now.With(theirs) });
    }
}
