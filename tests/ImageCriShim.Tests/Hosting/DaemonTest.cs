using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>The program as a process, with a directory for its socket and a runtime.</summary>
public abstract class DaemonTest : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _ending = [];

    private protected TempDirectory Directory { get; } = new();

    private protected string ShimSocketPath => Directory.File("shim.sock");

    private protected string RuntimeSocketPath => Directory.File("cri.sock");

    public async ValueTask DisposeAsync()
    {
        foreach (var end in Enumerable.Reverse(_ending))
            await end.DisposeAsync();
        Directory.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected FakeRuntime StartRuntime() => AtEnd(FakeRuntime.Start(RuntimeSocketPath));

    private protected async Task<ShimProcess> StartShim(string yaml = "", params (string Name, string Value)[] environment) =>
        AtEnd(await ShimProcess.StartAsync(Directory, RuntimeSocketPath, yaml, environment));

    /// <summary>For a start that fails.</summary>
    /// <returns>The exit code, and what it said.</returns>
    private protected async Task<(int Code, string Output)> FailToStart(string yaml = "")
    {
        var shim = AtEnd(ShimProcess.Launch(Directory, RuntimeSocketPath, yaml));
        return (await shim.ExitAsync(), shim.Output);
    }

    /// <summary>The program with these arguments, to its end.</summary>
    private protected static async Task<(int Code, string Output)> Run(params string[] arguments)
    {
        using var process = Process.Start(ShimProcess.StartInfo(arguments))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return (process.ExitCode, await output + await errors);
    }

    private protected async Task<RawAnswer> Call(string path = "/test.Fake/Unary")
    {
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        return await caller.CallAsync(path, [1]);
    }

    private protected T AtEnd<T>(T ending)
        where T : IAsyncDisposable
    {
        _ending.Add(ending);
        return ending;
    }
}
