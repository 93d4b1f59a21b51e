using System.Net.Sockets;

namespace ImageCriShim.Benchmarks;

/// <summary>
/// The least that a process between two others can do: bytes from one socket to the other, by blocking calls on two threads per
/// connection, and nobody looks at them. What it does not reach, no relay reaches on this machine.
/// </summary>
internal static class Splice
{
    private const int BufferBytes = 64 * 1024; // as the shim's

    internal static int Run(string from, string to)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(from));
        listener.Listen();
        while (true)
        {
            var caller = listener.Accept();
            var runtime = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            runtime.Connect(new UnixDomainSocketEndPoint(to));
            Start(caller, runtime);
            Start(runtime, caller);
        }
    }

    private static void Start(Socket from, Socket to) => new Thread(() => Pass(from, to)) { IsBackground = true }.Start();

    private static void Pass(Socket from, Socket to)
    {
        var buffer = new byte[BufferBytes];
        try
        {
            for (int received; (received = from.Receive(buffer)) > 0;)
            {
                for (var rest = buffer.AsSpan(0, received); !rest.IsEmpty;)
                    rest = rest[to.Send(rest)..];
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // One side is gone: the other is told by the end of its connection.
            from.Dispose();
            to.Dispose();
        }
    }
}
