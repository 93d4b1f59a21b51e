using System.Net.Sockets;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim.Relay;

/// <summary>
/// A descriptor that is kept for when no other is free. Without it callers would wait in the backlog, told nothing, until one is: with it the
/// next of them is accepted, told, and ended.
/// </summary>
internal sealed class SpareDescriptor(CallCounts counts, ILogger log)
{
    private SafeFileHandle? _spare = Open();

    /// <summary>Accepting has failed because no descriptor is free.</summary>
    internal void RefuseNext(Acceptor listener)
    {
        Log.NoRoom(log, Descriptors.Exhausted);
        _spare?.Dispose();
        _spare = null;
        try
        {
            if (listener.AcceptWaiting() is { } caller)
                RefusingConnection.Refuse(caller, Descriptors.Exhausted, counts);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Another thread was quicker, or the daemon stops: accepting is tried again, and tells.
        }

        Thread.Sleep(RuntimeSocket.RetryInterval); // others wait in the backlog until one is free
        _spare = Open();
    }

    /// <returns>Null where there is none to spare.</returns>
    private static SafeFileHandle? Open()
    {
        try
        {
            return File.OpenHandle("/dev/null");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
