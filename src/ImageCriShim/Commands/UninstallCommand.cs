using System.CommandLine;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim uninstall</c>: every file as it was before <c>install</c>, and nothing of ours left.</summary>
/// <param name="console">What is said, and who is asked.</param>
/// <param name="beforeStep">Is told of each step that an interruption could come before.</param>
internal sealed class UninstallCommand(NodeFiles files, Systemd systemd, InstallConsole console, Action<string>? beforeStep = null)
{
    private const int Ok = 0;
    private const int SomethingIsLeft = 1;

    public static Command Make()
    {
        var options = new InstallOptions();
        var command = new Command(
            "uninstall",
            "Undo install: every file as it was before, kubelet and crictl pointed back, nothing left. Shows every change before it asks. Example: image-cri-shim uninstall --dry-run")
        {
            options.Root, options.DryRun, options.Yes,
        };
        command.SetAction(parsed =>
        {
            var files = new NodeFiles(parsed.GetValue(options.Root)!);
            return new UninstallCommand(files, Systemd.Of(files), InstallConsole.Real(options.ModeOf(parsed))).Run();
        });
        return command;
    }

    /// <returns>
    /// The exit code: 0 if kubelet calls the runtime and everything of ours is removed; 1 if something prevents that, or if a file of ours that was
    /// changed after the installation is kept.
    /// </returns>
    public int Run()
    {
        var isLeft = false;
        var code = console.Try(() =>
        {
            var writer = new NodeWriter(files, beforeStep);
            var backup = new Backup(files, writer);
            var remover = new Remover(files, writer, backup, systemd);
            if (!backup.IsThere)
            {
                if (!console.IsDryRun)
                    remover.RemoveRemains();
                console.Say("Nothing to do: nothing is installed.");
                return;
            }

            var plan = RemovalPlan.Make(files, backup, systemd);
            foreach (var file in plan.Files.Where(file => file.IsNeeded))
                console.Show(file.ToChange());
            foreach (var remark in plan.Files.Select(file => file.Remark).OfType<string>())
                console.Warn(remark);
            if (!console.Confirms(InstallConsole.Count(plan.Files.Count(file => file.IsNeeded)) + "."))
                return;
            var ranBefore = systemd.StateOf(plan.KubeletService) == "active";
            remover.PointBack(plan);
            if (files.IsThisMachine && !plan.HasPredecessor && WhyNotPointedBack(plan, ranBefore) is { } why)
                throw new InstallException($"{why}. image-cri-shim stays and goes on serving; put that right, and uninstall again");
            remover.RemoveOurs(plan);
            isLeft = plan.Files.Any(file => file.IsLeft);
            if (!systemd.IsRunning && files.IsThisMachine)
                console.Say("systemd does not run here. Stop image-cri-shim yourself.");
            console.Say(isLeft ? "Uninstalled, but for what is named above." : "Uninstalled.");
        });
        return code == Ok && isLeft ? SomethingIsLeft : code;
    }

    /// <returns>Null where kubelet calls the runtime, or does not run.</returns>
    private string? WhyNotPointedBack(RemovalPlan plan, bool ranBefore)
    {
        if (systemd.IsRunning)
            return ranBefore ? new PointedBack(plan, systemd).WhyNot() : null;
        return RunningKubelet.Find(plan.KubeletService) is { } running && plan.Shims.Any(running.Calls)
            ? $"kubelet (process {running.Id}) still calls us, and systemd does not run here: restart kubelet yourself"
            : null;
    }
}
