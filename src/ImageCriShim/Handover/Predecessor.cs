using System.Net.Sockets;
using ImageCriShim.Hosting;

namespace ImageCriShim.Handover;

/// <summary>The process that this one takes over from, as its successor sees it.</summary>
internal sealed class Predecessor : IDisposable
{
    private const int SocketDescriptor = 3, ChannelDescriptor = 4, MetricsDescriptor = 5;

    // It writes its state meanwhile, which may take 5 s on a slow disk.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly HandoverTerms _terms;
    private readonly HandoverChannel _channel;

    private readonly string? _score;

    private Predecessor(HandoverTerms terms, HandoverChannel channel, string? score) => (_terms, _channel, _score) = (terms, channel, score);

    /// <inheritdoc cref="HandoverTerms.IsFailingOpen"/>
    public bool IsFailingOpen => _terms.IsFailingOpen;

    /// <inheritdoc cref="HandoverTerms.OwnSocket"/>
    public string? OwnSocket => _terms.OwnSocket;

    /// <summary>
    /// Finds out whether this process is a successor. One that is only to start it does so, and ends here.
    /// </summary>
    /// <returns>Null for a process that was started in the ordinary way.</returns>
    public static Predecessor? Find()
    {
        if (HandoverTerms.Take() is not { } terms)
            return null;
        if (terms.IsLaunch)
            Environment.Exit(Launch(terms));
        var score = OomScore.Raise();
        LibC.DoNotInherit(SocketDescriptor);
        if (terms.Metrics is not null)
            LibC.DoNotInherit(MetricsDescriptor);
        var predecessor = new Predecessor(terms, new HandoverChannel(ChannelDescriptor), score);
        predecessor._channel.Send($"pid {Environment.ProcessId} {ShimVersion.Text}");
        return predecessor;
    }

    /// <summary>The listening socket.</summary>
    public static Socket TakeSocket() => Take(SocketDescriptor);

    /// <summary>The socket on which the predecessor serves metrics; null where it serves none.</summary>
    public InheritedMetrics? TakeMetrics() =>
        _terms.Metrics is { } address ? new(address, Take(MetricsDescriptor)) : null;

    /// <summary>This process cannot serve.</summary>
    /// <param name="reason">For the operator.</param>
    public void Refuse(string reason) => _channel.Send($"failed {reason}");

    /// <summary>Says that the settings can be used, and waits until the predecessor has written its state and writes no more.</summary>
    /// <exception cref="HandoverException">It has ended, or given up.</exception>
    public void WaitForState()
    {
        _channel.Send("prepared");
        Expect("go");
    }

    /// <summary>Says that callers are accepted, and waits until systemd knows this process.</summary>
    /// <exception cref="HandoverException">It has ended, or given up.</exception>
    public void WaitUntilMain()
    {
        _channel.Send("serving");
        Expect("main");
        OomScore.Restore(_score);
    }

    /// <summary>This process has handed over in its turn.</summary>
    /// <param name="process">Which serves from now on.</param>
    public void SayNext(int process) => _channel.Send($"next {process}");

    public void Dispose() => _channel.Dispose();

    private void Expect(string word)
    {
        try
        {
            if (_channel.Receive(s_patience) == word)
                return;
        }
        catch (TimeoutException)
        {
            // As if it had ended.
        }

        throw new HandoverException("the process that was to hand over has given up or ended");
    }

    /// <summary>It is in use by the predecessor, does not block, and has to stay so: the flag is that of both processes.</summary>
    private static Socket Take(int descriptor) => new(new SafeSocketHandle(descriptor, ownsHandle: true)) { Blocking = false };

    private static int Launch(HandoverTerms terms)
    {
        var program = ProgramFile.Find();
        int[] inherited = [SocketDescriptor, ChannelDescriptor, .. terms.Metrics is null ? Array.Empty<int>() : [MetricsDescriptor]];
        var channel = new HandoverChannel(ChannelDescriptor);
        try
        {
            string[] environment = [.. ProgramFile.Variables(), $"{terms with { IsLaunch = false }}"];
            channel.Send($"started {PosixSpawn.Start(program.Path, program.Arguments, environment, inherited)}");
            return 0;
        }
        catch (HandoverException e)
        {
            channel.Send($"failed {e.Message}");
            return 1;
        }
    }
}
