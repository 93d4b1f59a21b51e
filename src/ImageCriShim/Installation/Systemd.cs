using System.ComponentModel;
using System.Diagnostics;

namespace ImageCriShim.Installation;

/// <summary>The systemd of this machine. Units are enabled by their links, so that an image is treated like a node; only restarts are asked for here.</summary>
/// <param name="isRunning">False for an image, and where something else is process 1: then nothing is asked.</param>
/// <param name="program">What is called.</param>
internal sealed class Systemd(bool isRunning, string program = "systemctl")
{
    /// <summary>As sd_booted(3) finds it out.</summary>
    public static Systemd Of(NodeFiles files) => new(files.IsThisMachine && Directory.Exists("/run/systemd/system"));

    public bool IsRunning => isRunning;

    /// <summary>Restarts a unit with whatever has changed about it.</summary>
    /// <exception cref="InstallException"/>
    public void Restart(string unit)
    {
        Call("daemon-reload");
        if (unit == Packaged.Socket)
            Call("stop", Packaged.Service); // systemd makes a socket only while its service does not run
        Call("restart", unit);
    }

    /// <summary>Stops us.</summary>
    /// <exception cref="InstallException"/>
    public void StopShim() => Call("stop", Packaged.Socket, Packaged.Service);

    /// <exception cref="InstallException"/>
    public void Reload() => Call("daemon-reload");

    private void Call(params string[] arguments)
    {
        if (!isRunning)
            return;
        var command = $"systemctl {string.Join(' ', arguments)}";
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InstallException($"{command} ended with {process.ExitCode}; see journalctl -u {arguments[^1]}, and do it again");
        }
        catch (Win32Exception)
        {
            throw new InstallException($"{command}: there is no {program}; is it on the PATH?");
        }
    }
}
