namespace ImageCriShim.Installation;

/// <summary>One file or link of the node, before and after.</summary>
/// <param name="Path">Resolved: no links on its way.</param>
internal sealed record FileChange(string Path, FileState Before, FileState After, ChangeOf Part)
{
    public bool IsNeeded => Before.Fingerprint != After.Fingerprint;
}

/// <summary>Whose file it is, which decides what is to be done first.</summary>
internal enum ChangeOf
{
    /// <summary>Ours: there before anybody is pointed at us.</summary>
    Shim,

    Kubelet,
    Crictl,
}
