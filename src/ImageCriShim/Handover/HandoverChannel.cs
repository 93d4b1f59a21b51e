using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Handover;

/// <summary>
/// Between predecessor and successor: lines of text over a pair of sockets. The end of either process is the end of the channel.
/// <code>
/// launcher      started 123            it has started the successor
/// successor     pid 123 0.2.0          it has begun
///               failed REASON          it cannot serve, and ends
///               prepared               its settings can be used
/// predecessor   go                     it has written its state and writes no more
/// successor     serving                it accepts callers
/// predecessor   main                   systemd knows that the successor is the service's main process
/// successor     next 124               it has handed over itself, to that process; or serves again, if it is its own
/// </code>
/// </summary>
internal sealed class HandoverChannel : IDisposable
{
    private const int MaxLine = 4096;

    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1); // of a line that has begun: it is sent at once

    private readonly Socket _socket;

    public HandoverChannel(int descriptor)
    {
        LibC.DoNotInherit(descriptor);
        _socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    /// <summary>The descriptor, for the process that inherits it.</summary>
    public int Descriptor => (int)_socket.Handle;

    /// <summary>Both ends.</summary>
    public static (HandoverChannel Own, HandoverChannel Others) MakePair()
    {
        var (own, others) = LibC.MakeSocketPair();
        return (new HandoverChannel(own), new HandoverChannel(others));
    }

    /// <summary>Without effect if the other process has ended.</summary>
    public void Send(string line)
    {
        try
        {
            _socket.Send(Encoding.UTF8.GetBytes($"{line.ReplaceLineEndings(" ")}\n"));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The next line that is waited for does not come.
        }
    }

    /// <returns>Null where the other process has ended.</returns>
    /// <exception cref="TimeoutException">No line came in time.</exception>
    public string? Receive(TimeSpan patience)
    {
        var (line, octet) = (new List<byte>(), new byte[1]);
        _socket.ReceiveTimeout = (int)patience.TotalMilliseconds;
        try
        {
            while (line.Count < MaxLine && _socket.Receive(octet) == 1)
            {
                if (octet[0] == '\n')
                    return Encoding.UTF8.GetString([.. line]);
                line.Add(octet[0]);
            }

            return null;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new TimeoutException();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Does not wait for a line that has not begun to come.</summary>
    /// <param name="line">Null where the other process has ended.</param>
    /// <returns>False: nothing has come.</returns>
    public bool TryReceive(out string? line)
    {
        line = null;
        try
        {
            if (!_socket.Poll(0, SelectMode.SelectRead))
                return false;
            line = Receive(s_rest);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or TimeoutException)
        {
            // As if it had ended: half a line is none.
        }

        return true;
    }

    public void Dispose() => _socket.Dispose();
}
