using System.Runtime.InteropServices;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Standard error is a pipe, and whoever reads it has stopped.</summary>
[Trait("suite", "endtoend")]
public sealed partial class LogThatNobodyReads : SupervisedTest
{
    private const int SmallestPipe = 4096; // some twenty lines

    [Fact]
    public async Task Holds_up_no_call_and_no_stop_and_is_whole_when_it_is_read_again()
    {
        const int pulls = 200;
        StartRuntime();
        await using var log = await OpenPipe();
        var shim = await StartSupervised(log);
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
        {
            for (var i = 0; i < pulls; i++)
                (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For($"app:{i}"))).Status.ShouldBe(0);
        }

        var read = new StreamReader(log);
        for (var i = 0; i < pulls; i++) // in this order
        {
            string line;
            do
                line = (await read.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken))!;
            while (!line.Contains($"app:{i} "));
        }

        await shim.SignalAsync(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Does_not_keep_it_from_ending()
    {
        StartRuntime();
        await using var log = await OpenPipe();
        log.Write(new byte[SmallestPipe]); // not even the first line finds room
        var shim = await StartSupervised(log);
        (await Call()).Status.ShouldBe(0);
        await shim.SignalAsync(SigTerm);
        (await shim.ExitAsync()).ShouldBe(0);
    }

    private async Task<Supervisor> StartSupervised(FileStream log)
    {
        Configure("address: http://127.0.0.1:1\ndebug: true\n");
        var shim = AtEnd(await Supervisor.StartAsync(["--notify", NotifyPath], ["-f", ConfigPath], within: $"exec \"$@\" 2>{log.Name}"));
        await Wait.Until(() => shim.Notified.Contains("READY=1"), "it is ready");
        return shim;
    }

    /// <summary>Both ends, so that it can be opened, and has a reader who does not read.</summary>
    private async Task<FileStream> OpenPipe()
    {
        const int setPipeSize = 1031; // F_SETPIPE_SZ
        var path = Directory.File("log");
        await Node.Programs.Run("mkfifo", path);
        var pipe = new FileStream(path, new FileStreamOptions { Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0 });
        _ = Fcntl((int)pipe.SafeFileHandle.DangerousGetHandle(), setPipeSize, SmallestPipe);
        return pipe;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int handle, int command, int argument);
}
