using System.CommandLine;
using ImageCriShim.Installation;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim install</c>: everything that makes a node's images come through us, shown before it is done.</summary>
/// <param name="console">What is said, and who is asked.</param>
/// <param name="beforeStep">Is told of each step that an interruption could come before.</param>
internal sealed class InstallCommand(NodeFiles files, Systemd systemd, InstallConsole console, Action<string>? beforeStep = null)
{
    public static Command Make()
    {
        var options = new InstallOptions();
        var cri = new Option<string?>("--cri") { Description = "The runtime's socket; found if it is not named." };
        var address = new Option<string?>("--address") { Description = "The offline registry, for a node without a config file." };
        var authFile = new Option<string?>("--auth-file") { Description = "A file with user:password for that registry." };
        var command = new Command(
            "install",
            "Install this program on the node: units, a config file if there is none, kubelet and crictl pointed at it. Shows every change before it asks. "
            + "Example: image-cri-shim install --address http://sealos.hub:5000 --dry-run")
        {
            cri, address, authFile, options.Root, options.DryRun, options.Yes,
        };
        command.SetAction(parsed =>
        {
            var files = new NodeFiles(parsed.GetValue(options.Root)!);
            var wish = new InstallWish(ThisProgram(), parsed.GetValue(cri), parsed.GetValue(address), parsed.GetValue(authFile));
            return new InstallCommand(files, Systemd.Of(files), InstallConsole.Real(options.ModeOf(parsed))).Run(wish);
        });
        return command;
    }

    /// <returns>The exit code: 0 installed, or already so; 1 something is in the way; 2 the config file cannot be used, or it is not known what is to stand in it.</returns>
    public int Run(InstallWish wish) => console.Try(() =>
    {
        var plan = InstallPlan.Make(files, wish, systemd);
        var writer = new NodeWriter(files, beforeStep);
        var installer = new Installer(writer, new Backup(files, writer), systemd);
        if (!installer.HasWork(plan))
        {
            if (!console.IsDryRun)
                installer.RemoveUnfinished();
            console.Say("Nothing to do: everything is installed as it should be.");
            return;
        }

        foreach (var change in plan.Changes)
            console.Show(change);
        if (File.Exists($"{wish.Program}.dll"))
            console.Warn($"{wish.Program} runs only beside the files that it was built with; what is to be installed is the published program");
        var units = installer.Units(plan).ToList();
        if (!console.Confirms($"{InstallConsole.Count(plan.Changes.Count)}{(systemd.IsRunning ? $"; to be restarted: {string.Join(", ", units)}" : "")}."))
            return;
        if (installer.Apply(plan) && plan.Changes.Any(change => change.Path.EndsWith(Packaged.Service, StringComparison.Ordinal)))
            console.Say($"The program has changed without a restart; what has changed in {Packaged.Service} holds from its next start on: systemctl restart image-cri-shim");
        console.Say($"Installed. This undoes it: image-cri-shim uninstall{(files.IsThisMachine ? "" : $" --root {files.NameOf("/").TrimEnd('/')}")}");
        if (!systemd.IsRunning && files.IsThisMachine)
            console.Say($"systemd does not run here. To be restarted, in this order: {string.Join(", ", units)}");
    });

    /// <summary>What a build that is not published runs is .NET's own program, not ours.</summary>
    private static string ThisProgram() =>
        Environment.ProcessPath is { } path && Path.GetFileName(path) != "dotnet" ? path : Path.Combine(AppContext.BaseDirectory, "image-cri-shim");
}
