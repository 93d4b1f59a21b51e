using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Benchmarks;

/// <summary>A registry that is so far away that each answer takes its time. It has every image of one repository prefix, and no other.</summary>
internal sealed class SlowRegistry : IDisposable
{
    private const string Manifest =
        "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 500\r\n"
        + "Docker-Content-Digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n";

    private static readonly byte[] s_found = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{Manifest}");
    private static readonly byte[] s_missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly TimeSpan _distance;
    private readonly string _held;
    private int _requests;

    /// <param name="distance">How long each answer takes; infinite: there is none.</param>
    /// <param name="held">What stands in the path of each image that it has.</param>
    internal SlowRegistry(TimeSpan distance, string held)
    {
        (_distance, _held) = (distance, held);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    internal IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndPoint!;

    internal string Address => $"http://{Endpoint}";

    /// <summary>Since it was last asked for.</summary>
    internal int TakeRequests() => Interlocked.Exchange(ref _requests, 0);

    public void Dispose() => _listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                var caller = _listener.Accept();
                caller.NoDelay = true;
                new Thread(() => Serve(caller)) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // Disposed of.
        }
    }

    private void Serve(Socket caller)
    {
        var buffer = new byte[4096];
        var length = 0;
        try
        {
            using (caller)
            {
                for (int received; (received = caller.Receive(buffer.AsSpan(length))) > 0;)
                {
                    length += received;
                    if (!buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
                        continue;
                    Answer(caller, Encoding.ASCII.GetString(buffer, 0, length));
                    length = 0;
                }
            }
        }
        catch (SocketException)
        {
            // The caller is gone.
        }
    }

    private void Answer(Socket caller, string request)
    {
        Interlocked.Increment(ref _requests);
        Thread.Sleep(_distance); // this is the way there and back
        caller.Send(request.Contains(_held, StringComparison.Ordinal) ? s_found : s_missing);
    }
}
