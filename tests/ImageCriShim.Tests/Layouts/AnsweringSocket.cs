using System.Net.Sockets;
using System.Text;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// A socket at which a stand-in of a runtime, or of the shim, answers each connection with a line.
/// </summary>
internal sealed class AnsweringSocket : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <param name="place">Where it lies on this machine.</param>
    /// <param name="answer">Is asked at each connection; null closes it without a word.</param>
    public AnsweringSocket(string place, Func<string?> answer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        _listener.Bind(new UnixDomainSocketEndPoint($"{place}~"));
        _listener.Listen();
        File.Move($"{place}~", place, overwrite: true); // else .NET would remove it when it is closed
        new Thread(() => Serve(answer)) { IsBackground = true }.Start(); // not of the pool, whose threads wait for answers
    }

    /// <summary>One call: it connects, and reads the answer.</summary>
    /// <exception cref="NodeFailure">Nobody answers.</exception>
    public static string Ask(string place)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.ReceiveTimeout = (int)RawConnection.Patience.TotalMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(place));
            using var reader = new StreamReader(new NetworkStream(socket));
            return reader.ReadToEnd() is { Length: > 0 } answer ? answer : throw new NodeFailure("it hangs up");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new NodeFailure(e.Message);
        }
    }

    /// <summary>Its file stays, as that of a process that was killed, or of systemd.</summary>
    public void Dispose() => _listener.End();

    private void Serve(Func<string?> answer)
    {
        try
        {
            while (true)
            {
                using var caller = _listener.Accept();
                if (answer() is { } text)
                    caller.Send(Encoding.UTF8.GetBytes(text));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has been closed.
        }
    }
}
