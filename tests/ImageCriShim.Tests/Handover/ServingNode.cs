using System.Diagnostics;
using System.Text.Json.Nodes;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Handover;

/// <summary>
/// The program, installed at a path of its own that a test may replace, serving on a socket that it made. Its successors are no children of the
/// test: at the end every process is killed that was started with this config file.
/// </summary>
internal sealed class ServingNode : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _program;
    private string _socketName = "shim.sock";

    public ServingNode()
    {
        var bin = System.IO.Directory.CreateDirectory(_directory.File("bin")).FullName;
        _program = Path.Combine(bin, "image-cri-shim");
        foreach (var file in FilesOfTheProgram())
            File.Copy(file, Path.Combine(bin, Path.GetFileName(file)));
        Configure("");
        Runtime = FakeRuntime.Start(RuntimePath);
    }

    public FakeRuntime Runtime { get; }

    public string SocketPath => _directory.File(SocketName);

    /// <summary>The file's name. A path of more than 100 octets leaves no room for the private socket beside it.</summary>
    public string SocketName
    {
        get => _socketName;
        set
        {
            _socketName = value;
            Configure("");
        }
    }

    /// <summary>The process that was started first.</summary>
    public ShimProcess First { get; private set; } = null!;

    /// <summary>Everything that all of them have logged.</summary>
    public string Output => First.Output;

    private string RuntimePath => _directory.File("cri.sock");

    private string ConfigPath => _directory.File("image-cri-shim.yaml");

    public void Configure(string yaml) => File.WriteAllText(
        ConfigPath,
        $"shim: {SocketPath}\ncri: {RuntimePath}\nimage: {_directory.File("state")}\n"
        + (yaml.Contains("address:", StringComparison.Ordinal) ? "" : "address: http://127.0.0.1:1\n")
        + (yaml.Contains("metrics:", StringComparison.Ordinal) ? "" : "metrics: off\n") + yaml);

    /// <summary>Starts it, and waits until it serves.</summary>
    public async Task Start(params string[] options)
    {
        await StartUnseen(options);
        await Wait.Until(async () => (await TryStatus()) is not null, "its private socket answers");
    }

    /// <summary>The same, where there can be no private socket.</summary>
    public async Task StartUnseen(params string[] options)
    {
        First = ShimProcess.LaunchProgram(_program, ["-f", ConfigPath, .. options], SocketPath);
        await First.ReadyAsync();
    }

    /// <summary>Puts another program in its place, as an upgrade does: under another name first.</summary>
    public void Install(string text)
    {
        var made = _program + ".new";
        Script.Put(made, text);
        File.Move(made, _program, overwrite: true);
    }

    /// <summary>A program that starts a successor as it should, which then does nothing.</summary>
    public void InstallOneThatHangs()
    {
        File.Copy(_program, _program + "-before");
        Install($"""
            #!/bin/bash
            [[ $IMAGE_CRI_SHIM_HANDOVER == launch* ]] && exec -a "$0" {_program}-before "$@"
            while true; do sleep 0.1; done
            """);
    }

    /// <summary>The same program as another file.</summary>
    public void InstallAgain()
    {
        File.Copy(_program, _program + ".new");
        File.Move(_program + ".new", _program, overwrite: true);
    }

    public void Uninstall() => File.Delete(_program);

    /// <summary>Runs <c>image-cri-shim reload</c>, of the program that was there first.</summary>
    public async Task<(int Code, string Output)> Reload(params string[] options) => await Run(["reload", "-f", ConfigPath, .. options]);

    /// <summary>Hands over, which must succeed.</summary>
    public async Task HandOver()
    {
        var (code, output) = await Reload("--handover");
        code.ShouldBe(0, output + Output);
    }

    /// <summary>What <c>image-cri-shim status</c> says for people.</summary>
    public async Task<string> StatusText() => (await Run(["status", "-f", ConfigPath])).Output;

    /// <summary>The status page of the process that serves now.</summary>
    public async Task<JsonNode> Status() => await TryStatus() ?? throw new InvalidOperationException($"no process serves:\n{Output}");

    /// <summary>The record of pulls on the disk.</summary>
    public Task<string> Record() => File.ReadAllTextAsync(Path.Combine(_directory.File("state"), "pulls.json"));

    /// <summary>The process that serves now; 0 while none answers.</summary>
    public async Task<int> Pid() => (int?)(await TryStatus())?["pid"] ?? 0;

    /// <summary>Those that have handed over and still serve, as the process that serves now shows them.</summary>
    public async Task<int[]> Predecessors() => [.. (await Status())["handover"]!["predecessors"]!.AsArray().Select(one => (int)one!["pid"]!)];

    /// <summary>Waits until the first process has ended as it should. Its output goes on: its successors write to the same.</summary>
    public async Task FirstEnds()
    {
        await Wait.Until(() => First.HasExited);
        First.ExitCode.ShouldBe(0, Output);
    }

    public static void Signal(int process, int signal) => Processes.Signal(process, signal);

    /// <summary>The processes that were started with this config file and live.</summary>
    public int[] Living() => [.. Processes.StartedWith(ConfigPath)];

    public async ValueTask DisposeAsync()
    {
        const int sigKill = 9;
        foreach (var process in Living())
            Signal(process, sigKill);
        if (First is not null)
            await First.DisposeAsync();
        await Wait.Until(() => Living().Length == 0);
        await Runtime.DisposeAsync();
        _directory.Dispose();
    }

    private static IEnumerable<string> FilesOfTheProgram()
    {
        if (Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM") is { Length: > 0 } published)
            return [published];
        string[] patterns = ["image-cri-shim*", "YamlDotNet.dll", "System.CommandLine.dll", "Microsoft.Extensions.*.dll"];
        return patterns.SelectMany(pattern => System.IO.Directory.GetFiles(AppContext.BaseDirectory, pattern)).Distinct();
    }

    /// <summary>As <c>image-cri-shim status</c> asks, without a process for each question.</summary>
    private async Task<JsonNode?> TryStatus()
    {
        using var client = new StatusClient($"{SocketPath}.status", RawConnection.Patience);
        try
        {
            return JsonNode.Parse(await client.Get("/status", TestContext.Current.CancellationToken));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task<(int Code, string Output)> Run(string[] arguments)
    {
        using var process = Process.Start(ShimProcess.StartInfo(arguments))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return (process.ExitCode, await output + await errors);
    }
}
