using System.Diagnostics;
using System.Runtime.InteropServices;
using ImageCriShim.Concurrency;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>SIGTERM and SIGINT: the first one begins the end of this process, the second one ends it at once.</summary>
internal sealed class Stop : IDisposable
{
    private readonly Func<int> _connections;
    private readonly ILogger _log;
    private readonly ManualResetEvent _begun = new(initialState: false);
    private readonly CancellationTokenSource _hurry = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;
    private long _began; // by Stopwatch; 0: it has not

    /// <param name="connections">How many callers there are, for the log.</param>
    /// <param name="log">The log.</param>
    internal Stop(Func<int> connections, ILogger log)
    {
        (_connections, _log) = (connections, log);
        _registrations =
        [
            Background.OnSignal(PosixSignal.SIGTERM, OnSignal),
            Background.OnSignal(PosixSignal.SIGINT, OnSignal),
        ];
    }

    /// <summary>The first signal came; nothing has been done about it yet.</summary>
    internal event Action<PosixSignal>? Begins;

    /// <summary>Is set with the first signal.</summary>
    internal WaitHandle Begun => _begun;

    internal bool HasBegun => Volatile.Read(ref _signals) > 0;

    /// <summary>Since the first signal; zero before it.</summary>
    internal TimeSpan Elapsed => Volatile.Read(ref _began) is not 0 and var began ? Stopwatch.GetElapsedTime(began) : TimeSpan.Zero;

    /// <summary>Nobody waits any longer.</summary>
    internal CancellationToken Hurry => _hurry.Token;

    /// <summary>
    /// Whether a second SIGTERM ends nothing: when the main process of a service has ended, systemd sends those that are left another one, and a
    /// process that has handed over is one of them.
    /// </summary>
    internal bool IsPatient { get; set; }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    /// <summary>The process ends when serving has.</summary>
    private void OnSignal(PosixSignal signal)
    {
        if (Interlocked.Increment(ref _signals) == 1)
            Begin(signal);
        else if (!IsPatient || signal is PosixSignal.SIGINT)
            HurryUp(signal);
    }

    private void Begin(PosixSignal signal)
    {
        try
        {
            Volatile.Write(ref _began, Stopwatch.GetTimestamp());
            Log.Stopping(_log, $"{signal}", _connections());
            Begins?.Invoke(signal);
        }
        finally
        {
            _begun.Set();
        }
    }

    private void HurryUp(PosixSignal signal)
    {
        Log.Hurrying(_log, $"{signal}", _connections());
        _hurry.Cancel();
    }
}
