using System.Runtime.InteropServices;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// SIGTERM and SIGINT: the first one lets calls in flight end, the second one cuts them. There is no time limit of our own; systemd has one
/// (TimeoutStopSec).
/// </summary>
internal sealed class Stop : IDisposable
{
    private readonly ShimSocket _socket;
    private readonly RelayListener _listener;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _hurry = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    internal Stop(ShimSocket socket, RelayListener listener, ILogger log)
    {
        (_socket, _listener, _log) = (socket, listener, log);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        ];
    }

    /// <summary>The first signal came; nothing has been done about it yet.</summary>
    internal event Action<PosixSignal>? Begins;

    /// <summary>Nobody waits any longer.</summary>
    internal CancellationToken Hurry => _hurry.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true; // the process ends when serving has
        if (Interlocked.Increment(ref _signals) == 1)
        {
            Log.Stopping(_log, $"{context.Signal}", _listener.Connections);
            Begins?.Invoke(context.Signal);
            _socket.Dispose();
        }
        else
        {
            Log.Hurrying(_log, $"{context.Signal}", _listener.Connections);
            _hurry.Cancel();
        }
    }
}
