using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Fakes;

/// <summary>The stacks of tests/peers; its README is their contract.</summary>
public enum Stack
{
    Python, Node,

    /// <summary>grpc-go 1.64; kubelet of 1.31 has nearly that.</summary>
    Go,

    /// <summary>grpc-go 1.33, of which there is a caller only; kubelet of 1.20 has nearly that.</summary>
    OldGo,
}

/// <summary>What one scenario of a caller printed.</summary>
public sealed record ScenarioResult(JsonNode Result, JsonNode Measured);

/// <summary>Callers and runtimes of tests/peers as processes.</summary>
public static class Peer
{
    /// <summary>A whole group takes some 5 to 15 s; a hang is reported with what was printed until then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly Lazy<Task> NodePackages = new(InstallNodePackagesAsync);
    private static readonly Lazy<Task<string>> GoPrograms = new(() => Lab.Run("peers"));

    /// <summary>Runs a group of scenarios of a caller against a socket.</summary>
    public static async Task<IReadOnlyDictionary<string, ScenarioResult>> CallAsync(
        Stack caller, string socketPath, string group, params string[] scenarios)
    {
        using var process = await StartAsync(caller, "caller", [socketPath, group, .. scenarios]);
        return await ReadAsync(process, $"{caller} in group {group}");
    }

    /// <summary>Runs a group of the caller that speaks CRI by its definition.</summary>
    /// <param name="socketPath">Of a runtime, or of the shim.</param>
    /// <param name="interfaceVersion"><c>v1</c> or <c>v1alpha2</c>.</param>
    /// <param name="group">Of <c>cri_caller.py</c>.</param>
    /// <param name="options">What that group needs to know.</param>
    public static async Task<IReadOnlyDictionary<string, ScenarioResult>> CallCriAsync(
        string socketPath, string interfaceVersion, string group, JsonObject options)
    {
        using var process = await StartAsync(Stack.Python, "cri_caller", socketPath, interfaceVersion, group, options.ToJsonString());
        return await ReadAsync(process, $"the caller of {interfaceVersion} in group {group}");
    }

    private static async Task<IReadOnlyDictionary<string, ScenarioResult>> ReadAsync(Process process, string who)
    {
        var errors = process.StandardError.ReadToEndAsync();
        var results = new Dictionary<string, ScenarioResult>();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                var printed = JsonNode.Parse(line)!;
                results.Add((string)printed["scenario"]!, new(printed["result"]!, printed["measured"]!));
            }

            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{who} hangs after {string.Join(", ", results.Keys)}:\n{await errors}");
        }

        if (process.ExitCode != 0) throw new InvalidOperationException($"{who} exited with {process.ExitCode}:\n{await errors}");
        return results;
    }

    /// <summary>The runtime on grpc-go, which needs nothing beside it.</summary>
    internal static async Task<string> GoRuntime() => Path.Combine(await GoPrograms.Value, "runtime-1.64");

    /// <summary>What distribution/reference makes of names: a line of output for each line of input.</summary>
    internal static async Task<Process> StartReferencesAsync() => await StartAsync(Stack.Go, "references");

    /// <summary>Whether Go's crypto/x509 believes certificates: a line of output for each line of input.</summary>
    internal static async Task<Process> StartCertificatesAsync() => await StartAsync(Stack.Go, "certificates");

    /// <summary>Starts a program of tests/peers with its streams redirected.</summary>
    internal static async Task<Process> StartAsync(Stack stack, string program, params string[] arguments)
    {
        if (stack == Stack.Node) await NodePackages.Value;
        var start = stack switch
        {
            Stack.Python => new ProcessStartInfo("/usr/bin/python3", [File(stack, $"{program}.py"), .. arguments]), // Debian's has grpcio
            Stack.Node => new ProcessStartInfo("node", [File(stack, $"{program}.js"), .. arguments]),
            Stack.Go => new ProcessStartInfo(Path.Combine(await GoPrograms.Value, $"{program}-1.64"), arguments),
            _ => new ProcessStartInfo(Path.Combine(await GoPrograms.Value, $"{program}-1.33"), arguments),
        };
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["LAB_CRI_DESCRIPTORS"] = Path.Combine(Lab.Cache, "cri-messages.pb");
        start.Environment.Remove("GRPC_VERBOSITY");
        return Process.Start(start)!;
    }

    private static string File(Stack stack, string name) =>
        Path.Combine(Repository.Root, "tests", "peers", stack == Stack.Python ? "python" : "node", name);

    private static async Task InstallNodePackagesAsync()
    {
        var folder = Path.GetDirectoryName(File(Stack.Node, "package.json"))!;
        if (System.IO.File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json"))) return;
        using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--ignore-scripts"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = npm.StandardOutput.ReadToEndAsync();
        var errors = await npm.StandardError.ReadToEndAsync();
        await npm.WaitForExitAsync();
        if (npm.ExitCode != 0) throw new InvalidOperationException($"npm ci in {folder}:\n{await output}{errors}");
    }
}

/// <summary>A runtime of tests/peers; ready when its socket accepts.</summary>
public sealed class PeerRuntime : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder errors = new();

    private PeerRuntime(Process process, string socketPath)
    {
        (this.process, SocketPath) = (process, socketPath);
        process.ErrorDataReceived += (_, line) => { lock (errors) errors.AppendLine(line.Data); };
        process.BeginErrorReadLine();
    }

    public string SocketPath { get; }

    public static async Task<PeerRuntime> StartAsync(Stack stack, string socketPath, params string[] flags)
    {
        var runtime = new PeerRuntime(await Peer.StartAsync(stack, "runtime", [socketPath, .. flags]), socketPath);
        var ready = await runtime.process.StandardOutput.ReadLineAsync().WaitAsync(RawConnection.Patience);
        if (ready == "ready") return runtime;
        await runtime.process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        throw new InvalidOperationException($"the {stack} runtime did not start (is python3-grpcio installed?):\n{runtime.errors}");
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close(); // that ends it, and so does the end of this process
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        process.Dispose();
    }
}
