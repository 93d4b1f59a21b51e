using System.Globalization;

namespace ImageCriShim.Handover;

/// <summary>The process that is to take over, as its predecessor sees it.</summary>
internal sealed class SuccessorProcess : IDisposable
{
    private const int SigKill = 9;

    // A start takes 50 ms; a node under load, or a disk that does not answer (3 s for the state), more.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_reaping = TimeSpan.FromSeconds(1);

    private readonly HandoverChannel _channel;
    private readonly string _program;
    private int? _launcher; // our child, until it is waited for
    private int? _process;
    private int? _next; // it has handed over to
    private bool _hasEnded;

    private SuccessorProcess(HandoverChannel channel, string program, int launcher) => (_channel, _program, _launcher) = (channel, program, launcher);

    public int Id => _process ?? 0;

    private string Foreign => $"{_program} speaks another language than this version";

    /// <summary>As it says.</summary>
    public string Version { get; private set; } = "";

    /// <summary>
    /// Whether it serves, or the process that it has handed over to. It is not our child, so the channel tells. One that hangs, or is
    /// stopped, is there.
    /// </summary>
    public bool IsServing
    {
        get
        {
            while (!_hasEnded && _channel.TryReceive(out var line))
                (_hasEnded, _next) = line is null ? (true, _next) : (false, ReadProcess(line) ?? _next);
            return !_hasEnded || (_next is { } next && next != _process && LibC.IsThere(next));
        }
    }

    /// <summary>Starts it, by way of a process that ends at once: its parent is process 1 then, which systemd needs for the main process of a service.</summary>
    /// <param name="program">The program and its arguments.</param>
    /// <param name="environment">More variables, of the form <c>NAME=value</c>.</param>
    /// <param name="terms">What it has to know.</param>
    /// <param name="socket">The listening socket's descriptor.</param>
    /// <param name="metrics">That of the socket of metrics; null: there is none.</param>
    /// <exception cref="HandoverException"/>
    public static SuccessorProcess Start(ProgramFile program, IEnumerable<string> environment, HandoverTerms terms, int socket, int? metrics)
    {
        var (own, others) = HandoverChannel.MakePair();
        using (others)
        {
            int[] inherited = metrics is { } one ? [socket, others.Descriptor, one] : [socket, others.Descriptor];
            try
            {
                var launcher = PosixSpawn.Start(program.Path, program.Arguments, [.. ProgramFile.Variables(), .. environment, $"{terms}"], inherited);
                return new SuccessorProcess(own, program.Path, launcher);
            }
            catch (HandoverException)
            {
                own.Dispose();
                throw;
            }
        }
    }

    /// <summary>Waits until it has read its settings.</summary>
    /// <exception cref="HandoverException"/>
    public void WaitUntilPrepared()
    {
        // Either may be faster: the launcher, which knows it, or the successor itself.
        ReadStart(Expect("started", "pid"));
        ReadStart(Expect("started", "pid"));
        Reap();
        Expect("prepared");
    }

    /// <summary>Lets it begin, and waits until it accepts callers.</summary>
    /// <exception cref="HandoverException"/>
    public void WaitUntilServing()
    {
        _channel.Send("go");
        Expect("serving");
    }

    /// <summary>It is the main process of the service from now on.</summary>
    public void SayMain() => _channel.Send("main");

    /// <summary>Ends it, and whatever has been started for it.</summary>
    public void Kill()
    {
        Reap();
        while (_channel.TryReceive(out var line) && line is not null)
            _process ??= ReadProcess(line); // it has begun, and was not waited for any more
        if (_process is { } process)
            LibC.SendSignal(process, SigKill);
    }

    public void Dispose() => _channel.Dispose();

    private void ReadStart(string line)
    {
        _process = ReadProcess(line) ?? throw new HandoverException(Foreign);
        if (line.Split(' ') is ["pid", _, var version])
            Version = version;
    }

    /// <summary>Each line that names a process has its id as the second word.</summary>
    private static int? ReadProcess(string line) =>
        line.Split(' ') is [_, var id, ..] && int.TryParse(id, CultureInfo.InvariantCulture, out var process) ? process : null;

    /// <summary>The launcher has nothing to do but to end; one that cannot (its disk hangs) is left.</summary>
    private void Reap()
    {
        if (_launcher is { } launcher && !LibC.TryWaitForChild(launcher, s_reaping))
        {
            LibC.SendSignal(launcher, SigKill);
            LibC.TryWaitForChild(launcher, s_reaping);
        }

        _launcher = null;
    }

    private string Expect(params string[] words)
    {
        try
        {
            return _channel.Receive(s_patience) switch
            {
                { } line when words.Contains(line.Split(' ')[0]) => line,
                { } line when line.StartsWith("failed ", StringComparison.Ordinal) => throw new HandoverException(line["failed ".Length..]),
                null => throw new HandoverException($"{_program} ended before it served; what it wrote stands in the log before this"),
                _ => throw new HandoverException(Foreign),
            };
        }
        catch (TimeoutException)
        {
            throw new HandoverException($"{_program} did not serve within {s_patience.TotalSeconds} s");
        }
    }
}
