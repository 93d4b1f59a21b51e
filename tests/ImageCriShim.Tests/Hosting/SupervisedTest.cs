using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>The program under a manager of services.</summary>
public abstract class SupervisedTest : DaemonTest
{
    private protected const int SigTerm = 15;

    private protected string ConfigPath => Directory.File("image-cri-shim.yaml");

    private protected string NotifyPath => Directory.File("notify.sock");

    private protected void Configure(string yaml = "address: http://127.0.0.1:1\n") => File.WriteAllText(
        ConfigPath, $"shim: {ShimSocketPath}\ncri: {RuntimeSocketPath}\nimage: {Directory.File("state")}\nmetrics: off\n{yaml}");

    /// <summary>Runs on the settings of <see cref="Configure"/>.</summary>
    private protected async Task<Supervisor> Supervise(params string[] options) => AtEnd(await Supervisor.StartAsync(options, ["-f", ConfigPath]));

    private protected async Task<Supervisor> SuperviseReady(params string[] options)
    {
        var shim = await Supervise(["--notify", NotifyPath, .. options]);
        await Wait.Until(() => shim.Notified.Contains("READY=1"), "it is ready");
        return shim;
    }
}
