namespace ImageCriShim.Installation;

/// <summary>
/// Tells kubelet and crictl of the runtime wherever they are told of us now: kubeadm moves what kubelet is told from file to file, and operators
/// edit it.
/// </summary>
/// <param name="files">As they are.</param>
/// <param name="after">As they are once what the installation has changed is undone.</param>
/// <param name="plan">Which undoes it.</param>
internal sealed class Redirection(NodeFiles files, NodeFiles after, RemovalPlan plan)
{
    /// <returns>All that is to be done.</returns>
    /// <exception cref="InstallException">It cannot be done.</exception>
    public IReadOnlyList<Restoration> Complete(KubeletPointer pointer)
    {
        var found = pointer.Sources.Where(NamesUs).Select(file => (File: file, Part: ChangeOf.Kubelet))
            .ToList();
        if (TextEdit.Read(after, CrictlFile.Path) is var crictl && NamesUs(crictl))
            found.Add((crictl, ChangeOf.Crictl));
        var all = plan.Files.ToList();
        foreach (var (file, part) in found)
        {
            var entry = all.FindIndex(known => known.Entry.Path == file.Path);
            var redirected = Redirect(file, part, entry < 0 ? null : all[entry]);
            if (entry < 0)
                all.Add(redirected);
            else
                all[entry] = redirected;
        }

        return all;
    }

    private Restoration Redirect(TextEdit file, ChangeOf part, Restoration? known)
    {
        if (plan.Runtime is not { } runtime)
            throw Stays($"{file.Path} says so, and it is not known which runtime is to be called instead; write cri: PATH into {ShimConfig.Path}, and do it again");
        if (SystemdUnits.IsOfAPackage(file.Path))
            throw Stays($"{file.Path}, which belongs to a package, says so; have it name unix://{runtime}, and uninstall again");
        var edited = file with { Text = SocketText.Replace(file.Text, plan.Shims, runtime) };
        var isYaml = YamlText.Parses(file) || Path.GetExtension(file.Path) is ".yaml" or ".yml" or ".json";
        if (isYaml && !(YamlText.Parses(file) && YamlText.Parses(edited)))
            throw Stays($"{file.Path} says so in a way that is not edited here; have it name unix://{runtime}, and uninstall again");
        var now = files.Read(file.Path);
        var entry = known?.Entry ?? BackupEntry.Of(new FileChange(file.Path, now, now, part));
        var remark = $"{file.Path} names image-cri-shim in other words than install wrote; now it names {runtime}";
        return new Restoration(entry, now, now.With(TextEdit.BytesOf(edited.Text)), remark);
    }

    private bool NamesUs(TextEdit file) => SocketText.Names(file.Text, plan.Shims);

    private static InstallException Stays(string why) => new($"kubelet calls image-cri-shim, so nothing was changed: {why}");
}
