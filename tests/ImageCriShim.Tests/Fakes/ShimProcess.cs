using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// The program under test, as a process: the one that the environment variable <c>IMAGE_CRI_SHIM</c> names (the published one), else
/// the one built beside the tests. Ready when its socket accepts.
/// </summary>
public sealed partial class ShimProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    private static readonly string[] Complaints = ["warn", "error", "fail", "exception"];

    private readonly Process process;
    private readonly StringBuilder output = new();

    private ShimProcess(Process process, string socketPath)
    {
        (this.process, SocketPath) = (process, socketPath);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string SocketPath { get; }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public Task Exited => process.WaitForExitAsync();

    public int ExitCode => process.ExitCode;

    /// <summary>What it has written to stdout and stderr so far.</summary>
    public string Output
    {
        get { lock (output) return output.ToString(); }
    }

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes => long.Parse(File.ReadAllText($"/proc/{Id}/statm").Split(' ')[1]) * Environment.SystemPageSize;

    /// <summary>What it has used of processors so far, in steps of 10 ms.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            const int ticksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on
            var fields = File.ReadAllText($"/proc/{Id}/stat").Split(") ")[1].Split(' '); // from the third on (proc(5))
            return TimeSpan.FromSeconds((double)(long.Parse(fields[11]) + long.Parse(fields[12])) / ticksPerSecond);
        }
    }

    /// <summary>Starts the shim between <paramref name="directory"/>'s <c>shim.sock</c> and the runtime's socket.</summary>
    /// <param name="directory">Holds socket, state and config file.</param>
    /// <param name="runtimeSocket">The <c>cri</c> of the configuration.</param>
    /// <param name="yaml">More lines of configuration; an <c>address</c> where nobody listens is given if it has none.</param>
    /// <param name="environment">More variables for the process.</param>
    public static async Task<ShimProcess> StartAsync(TempDirectory directory, string runtimeSocket, string yaml = "",
        params (string Name, string Value)[] environment)
    {
        var socket = directory.File("shim.sock");
        var shim = Launch(directory, runtimeSocket, yaml, environment);
        await shim.WaitForSocketAsync(socket);
        return shim;
    }

    /// <summary>As <see cref="StartAsync"/>, but does not wait: for starts that fail.</summary>
    public static ShimProcess Launch(TempDirectory directory, string runtimeSocket, string yaml = "",
        params (string Name, string Value)[] environment) => LaunchWith([], directory, runtimeSocket, yaml, environment);

    /// <summary>As <see cref="Launch"/>, with more arguments.</summary>
    public static ShimProcess LaunchWith(string[] arguments, TempDirectory directory, string runtimeSocket, string yaml = "",
        params (string Name, string Value)[] environment)
    {
        var socket = directory.File("shim.sock");
        var address = yaml.Contains("address:", StringComparison.Ordinal) ? "" : "address: http://127.0.0.1:1\n"; // port 1: nobody listens
        var state = yaml.StartsWith("image:", StringComparison.Ordinal) ? "" : $"image: {directory.File("state")}\n";
        var metrics = yaml.Contains("metrics:", StringComparison.Ordinal) ? "" : "metrics: off\n"; // several tests run at once
        return LaunchRaw($"shim: {socket}\ncri: {runtimeSocket}\n{state}{address}{yaml}\n{metrics}", arguments, directory, environment);
    }

    /// <summary>As <see cref="LaunchWith"/>, on a config file that holds just this.</summary>
    public static ShimProcess LaunchRaw(string file, string[] arguments, TempDirectory directory, params (string Name, string Value)[] environment)
    {
        var config = directory.File("image-cri-shim.yaml");
        var isNew = !File.Exists(config);
        File.WriteAllText(config, file);
        if (isNew) File.SetUnixFileMode(config, UnixFileMode.UserRead | UnixFileMode.UserWrite); // as the package has it
        var start = StartInfo(["-f", config, .. arguments]);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new(Process.Start(start) ?? throw new InvalidOperationException("the shim did not start"), directory.File("shim.sock"));
    }

    /// <summary>Starts a program at a path of its own; it serves on this socket.</summary>
    public static ShimProcess LaunchProgram(string program, string[] arguments, string socketPath) =>
        new(Process.Start(StartInfo([program], arguments)) ?? throw new InvalidOperationException("the shim did not start"), socketPath);

    /// <summary>
    /// The program with these arguments, its streams redirected: also for its commands. A shell has what it starts in the background ignore
    /// SIGINT, nohup SIGHUP, and who is started by that ignores it as well; not so the program.
    /// </summary>
    public static ProcessStartInfo StartInfo(params string[] arguments)
    {
        var published = Environment.GetEnvironmentVariable("IMAGE_CRI_SHIM");
        return StartInfo(string.IsNullOrEmpty(published) ? ["dotnet", Path.Combine(AppContext.BaseDirectory, "image-cri-shim.dll")] : [published], arguments);
    }

    private static ProcessStartInfo StartInfo(string[] program, string[] arguments) => new("env", ["--default-signal=INT,HUP", .. program, .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>For a start that fails: its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return process.ExitCode;
    }

    /// <summary>Waits until it accepts.</summary>
    public Task ReadyAsync() => WaitForSocketAsync(SocketPath);

    /// <summary>Asks it to end and waits for that.</summary>
    public async Task<int> StopAsync(int signal = SigTerm)
    {
        Signal(signal);
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return process.ExitCode;
    }

    public void Signal(int signal)
    {
        if (!process.HasExited) _ = Kill(process.Id, signal);
    }

    /// <summary>Waits for it: a call is answered before the line about it is written.</summary>
    public void ShouldSay(string text) => Wait.ForText(text, () => Output);

    /// <summary>Fails unless every line that it wrote holds one of these texts.</summary>
    public void ShouldOnlyHaveWritten(params string[] expected)
    {
        var others = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !expected.Any(line.Contains)).ToArray();
        others.ShouldBeEmpty();
    }

    /// <summary>Fails if it wrote of a warning, an error or an exception.</summary>
    public void ShouldNotHaveComplained() =>
        Output.Split('\n').Where(line => Complaints.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase))).ShouldBeEmpty();

    public async ValueTask DisposeAsync()
    {
        Signal(SigTerm);
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5)); // calls in flight of a failed test may hold it; then it is killed
        }
        catch (TimeoutException)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task WaitForSocketAsync(string socketPath)
    {
        var waited = Stopwatch.StartNew();
        while (!await Accepts(socketPath))
        {
            if (process.HasExited || waited.Elapsed > RawConnection.Patience)
                throw new InvalidOperationException($"the shim does not accept on {socketPath} (exited: {process.HasExited}):\n{Output}");
            await Task.Delay(5); // between two attempts to connect: there is nothing else to wait on
        }
    }

    private static async Task<bool> Accepts(string socketPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
