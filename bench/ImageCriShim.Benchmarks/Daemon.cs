using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// A process that runs until it is disposed of, and what the kernel says of it. It is noted where the lab notes its own
/// (lab/daemon.sh), so that it ends with the lab if the bench itself is killed.
/// </summary>
internal sealed class Daemon : IDisposable
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux since 2.6

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly string _note;
    private readonly long _begin;
    private string _lastLine = "";

    private Daemon(Process process, string note, long begin)
    {
        (_process, _note, _begin) = (process, note, begin);
        process.ErrorDataReceived += (_, line) => _lastLine = line.Data ?? _lastLine;
        process.BeginErrorReadLine();
    }

    /// <summary>User and system time of all its threads so far.</summary>
    internal double CpuSeconds => (StatField(14) + StatField(15)) / TicksPerSecond;

    internal int InternetSockets => CountSockets("tcp", inode: 9) + CountSockets("tcp6", inode: 9);

    internal int UnixSockets => CountSockets("unix", inode: 6);

    internal double ResidentMegabytes => ReadResident() / 1024.0;

    internal static Daemon Start(string directory, string name, string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardError = true, UseShellExecute = false };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        var process = Process.Start(start)!; // returns when the program has been executed
        var daemon = new Daemon(process, Path.Combine(Directory.CreateDirectory($"{directory}/daemons").FullName, name), Stopwatch.GetTimestamp());
        File.WriteAllText(daemon._note, $"{process.Id} {daemon.StatField(22)}\n");
        return daemon;
    }

    /// <returns>How long it took from its start until the socket could be connected.</returns>
    internal TimeSpan WaitUntilListening(string socket)
    {
        while (!IsListening(socket))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(_begin) > s_patience)
                throw new BenchException($"{_process.StartInfo.FileName} does not listen on {socket}: {_lastLine}");
            Thread.Sleep(TimeSpan.FromMicroseconds(100)); // between two attempts to connect: there is nothing else to wait on
        }

        return Stopwatch.GetElapsedTime(_begin);
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit(s_patience);
        _process.Dispose();
        File.Delete(_note);
    }

    private static bool IsListening(string path)
    {
        if (!File.Exists(path))
            return false;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // proc_pid_stat(5) counts from 1; the name, field 2, may hold blanks.
    private long StatField(int number)
    {
        var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
        return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[number - 3], CultureInfo.InvariantCulture);
    }

    // proc_pid_net(5); of a socket, its descriptor and its table tell the same inode.
    private int CountSockets(string table, int inode)
    {
        var held = Directory.EnumerateFiles($"/proc/{_process.Id}/fd").Select(file => new FileInfo(file).LinkTarget).ToHashSet();
        return File.ReadLines($"/proc/{_process.Id}/net/{table}").Skip(1)
            .Count(line => held.Contains($"socket:[{line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[inode]}]"));
    }

    private double ReadResident()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
