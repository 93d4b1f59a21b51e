using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>Stands in front of a registry that speaks TLS and keeps what it is sent, as somebody on the way could.</summary>
public sealed class TlsDoor : IAsyncDisposable
{
    private const byte Handshake = 22; // RFC 8446, section 5.1

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<MemoryStream> _sent = new();
    private readonly ConcurrentQueue<Socket> _sockets = new();
    private readonly Task _accepting;

    internal TlsDoor(LabRegistry registry)
    {
        _listener.Start(backlog: 512);
        Host = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = Accept(registry.Port);
    }

    /// <summary>As it stands in the name of an image.</summary>
    public string Host { get; }

    public string Address => $"https://{Host}";

    /// <summary>What was sent towards the registry, a connection each.</summary>
    public IReadOnlyList<byte[]> Connections => [.. _sent.Select(Read).Where(sent => sent.Length > 0)];

    public static bool IsHandshake(byte[] connection) => connection[0] == Handshake;

    public async ValueTask DisposeAsync()
    {
        _listener.End();
        foreach (var socket in _sockets)
            socket.Dispose();
        await _accepting;
    }

    private async Task Accept(int port)
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(Serve(await _listener.AcceptSocketAsync(), port));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            await Task.WhenAll(serving); // the test is over
        }
    }

    private async Task Serve(Socket client, int port)
    {
        using var registry = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Enqueue(client);
        _sockets.Enqueue(registry);
        var sent = new MemoryStream();
        _sent.Enqueue(sent);
        try
        {
            await registry.ConnectAsync(IPAddress.Loopback, port);
            await Task.WhenAll(Copy(client, registry, sent), Copy(registry, client, null));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side has gone.
        }
        finally
        {
            client.Dispose();
        }
    }

    private static async Task Copy(Socket from, Socket to, MemoryStream? keep)
    {
        var buffer = new byte[16 * 1024];
        for (int read; (read = await from.ReceiveAsync(buffer)) > 0;)
        {
            if (keep is not null)
                lock (keep)
                    keep.Write(buffer, 0, read);
            for (var written = 0; written < read;)
                written += await to.SendAsync(buffer.AsMemory(written, read - written));
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private static byte[] Read(MemoryStream sent)
    {
        lock (sent)
            return sent.ToArray();
    }
}
