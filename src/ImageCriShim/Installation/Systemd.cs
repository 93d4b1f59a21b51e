using System.ComponentModel;
using System.Diagnostics;
using ImageCriShim.Configuration;

namespace ImageCriShim.Installation;

/// <summary>The systemd of this machine. Units are enabled by their links, so that an image is treated like a node; only restarts are asked for here.</summary>
/// <param name="isRunning">False for an image, and where something else is process 1: then nothing is asked.</param>
/// <param name="program">What is called.</param>
internal sealed class Systemd(bool isRunning, string program = "systemctl")
{
    /// <summary>As sd_booted(3) finds it out.</summary>
    public static Systemd Of(NodeFiles files) => new(files.IsThisMachine && Directory.Exists("/run/systemd/system"));

    public bool IsRunning => isRunning;

    /// <summary>Whether a unit runs, or tries to again and again.</summary>
    public bool IsActive(string unit) => StateOf(unit) is "active" or "activating" or "reloading" or "deactivating";

    /// <summary>Its ActiveState; empty where it is not known.</summary>
    public string StateOf(string unit) => Ask("show", "--property=ActiveState", "--value", unit);

    /// <summary>Restarts a unit with whatever has changed about it.</summary>
    /// <exception cref="InstallException"/>
    public void Restart(string unit)
    {
        Call("daemon-reload");
        if (unit == Packaged.Socket)
            Call("stop", Packaged.Service); // systemd makes a socket only while its service does not run
        Call("restart", unit);
    }

    /// <summary>Whether a socket unit listens at this path.</summary>
    public bool Listens(string unit, string path) =>
        StateOf(unit) == "active" && Ask("show", "--property=Listen", "--value", unit).Split(' ') is [var place, ..] && Endpoint.AreSame(place, path);

    /// <summary>Lets our service take over the program that is installed now, without losing a call.</summary>
    /// <exception cref="InstallException">It cannot, and runs on as it was.</exception>
    public void HandOver(string unit)
    {
        Call("daemon-reload");
        Call("reload", unit);
    }

    /// <summary>Restarts somebody else's unit with whatever has changed about it, but never starts one that does not run.</summary>
    /// <exception cref="InstallException"/>
    public void TryRestart(string unit)
    {
        Call("daemon-reload");
        if (StateOf(unit) is not ("inactive" or "failed"))
            Call("try-restart", unit);
    }

    /// <summary>Stops us. What is not there any more, since an earlier run was interrupted, is stopped.</summary>
    /// <exception cref="InstallException"/>
    public void StopShim()
    {
        string[] running = [.. new[] { Packaged.Socket, Packaged.Service }.Where(unit => StateOf(unit) != "inactive")];
        if (running.Length > 0)
            Call(["stop", .. running]);
    }

    /// <exception cref="InstallException"/>
    public void Reload() => Call("daemon-reload");

    private void Call(params string[] arguments)
    {
        if (!isRunning)
            return;
        using var process = Start(new ProcessStartInfo(program, arguments));
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InstallException($"systemctl {string.Join(' ', arguments)} ended with {process.ExitCode}; see journalctl -u {arguments[^1]}, and do it again");
    }

    /// <returns>Empty where it does not say.</returns>
    private string Ask(params string[] arguments)
    {
        if (!isRunning)
            return "";
        using var process = Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true });
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? said.Trim() : "";
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InstallException($"systemctl {string.Join(' ', start.ArgumentList)}: {program} {StartError.Describe(e.NativeErrorCode)}");
        }
    }
}
