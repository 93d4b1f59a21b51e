using ImageCriShim.Concurrency;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// Gives our socket the owner and the mode of the runtime's, at the start and whenever these change: the runtime may start later than we
/// do, or make its socket anew with another owner.
/// </summary>
internal sealed class SocketAccess : IDisposable
{
    /// <summary>A caller that may not connect yet cannot make us look, so a look is due without anybody.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly ShimSocket _socket;
    private readonly RuntimeSocket _runtime;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private (uint User, uint Group, UnixFileMode Mode)? _copied;
    private FileIdentity? _refused; // said once

    private SocketAccess(ShimSocket socket, RuntimeSocket runtime, TimeProvider time, ILogger log)
    {
        (_socket, _runtime, _log) = (socket, runtime, log);
        CopyFirst();
        runtime.Connected += Look;
        _timer = Background.CreateTimer("the look at the rights of the runtime's socket", time, Look, s_interval, s_interval);
    }

    /// <summary>Copies at once, and follows until it is disposed of.</summary>
    internal static SocketAccess Follow(ShimSocket socket, RuntimeSocket runtime, TimeProvider time, ILogger log) =>
        new(socket, runtime, time, log);

    public void Dispose()
    {
        _runtime.Connected -= Look;
        _timer.Dispose();
    }

    private void CopyFirst()
    {
        if (FileIdentity.Find(_runtime.Path) is { IsSocket: true } found && TryCopy(found))
            return;
        Log.AccessNotCopied(_log, _runtime.Path, _socket.Path);
    }

    private void Look()
    {
        lock (_gate)
        {
            if (FileIdentity.Find(_runtime.Path) is not { IsSocket: true } found || _copied == (found.User, found.Group, found.Mode))
                return;
            if (TryCopy(found))
                Log.AccessCopied(_log, _socket.Path, _runtime.Path);
            else if (_refused != found)
                Log.AccessNotCopied(_log, _runtime.Path, _socket.Path);
            _refused = found;
        }
    }

    private bool TryCopy(FileIdentity found)
    {
        if (!_socket.TryTakeAccess(found))
            return false;
        _copied = (found.User, found.Group, found.Mode);
        return true;
    }
}
