using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A company's proxy: tunnels by CONNECT, plain requests by their absolute form. Names of hosts are its own affair, so registries can have
/// names that only it knows.
/// </summary>
internal sealed class FakeHttpProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentQueue<string> requests = new();

    private FakeHttpProxy()
    {
        listener.Start();
        _ = Accept();
    }

    /// <summary>Where a host and port of a request really are.</summary>
    public ConcurrentDictionary<string, int> Hosts { get; } = new();

    /// <summary>If set, it wants it.</summary>
    public (string User, string Password)? Account { get; set; }

    public string Host => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>The first line of each request that was let through.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    public static FakeHttpProxy Start() => new();

    public ValueTask DisposeAsync()
    {
        stopping.Cancel();
        listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task Accept()
    {
        try
        {
            while (true)
                _ = Serve(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task Serve(TcpClient caller)
    {
        using (caller)
        {
            try
            {
                var stream = caller.GetStream();
                while (await ReadHead(stream) is { } head && !await Handle(head, stream))
                {
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // Either side has gone.
            }
        }
    }

    /// <returns>True if the connection has done its work.</returns>
    private async Task<bool> Handle(string head, NetworkStream caller)
    {
        if (Account is { } account && !head.Contains($"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{account.User}:{account.Password}"))}\r\n"))
        {
            await Write(caller, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"corp\"\r\nContent-Length: 0\r\n\r\n");
            return false;
        }
        var line = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
        var isTunnel = line[0] == "CONNECT";
        var target = isTunnel ? line[1] : new Uri(line[1]).Authority;
        if (!Hosts.TryGetValue(target, out var port))
        {
            await Write(caller, "HTTP/1.1 502 Unknown\r\nContent-Length: 0\r\n\r\n");
            return false;
        }
        requests.Enqueue($"{line[0]} {target}");
        using var registry = new TcpClient();
        await registry.ConnectAsync(IPAddress.Loopback, port, stopping.Token);
        var onward = registry.GetStream();
        if (!isTunnel)
        {
            await Write(onward, head.Replace($"http://{target}", "", StringComparison.Ordinal));
            await PassOn(onward, caller, hasBody: line[0] != "HEAD");
            return false;
        }
        await Write(caller, "HTTP/1.1 200 Connected\r\n\r\n");
        await Task.WhenAny(caller.CopyToAsync(onward, stopping.Token), onward.CopyToAsync(caller, stopping.Token));
        return true;
    }

    private async Task PassOn(NetworkStream registry, NetworkStream caller, bool hasBody)
    {
        var head = await ReadHead(registry) ?? throw new IOException("the registry has gone");
        await Write(caller, head);
        var length = head.Split("Content-Length: ")[1];
        var body = new byte[hasBody ? int.Parse(length[..length.IndexOf('\r')]) : 0];
        await registry.ReadExactlyAsync(body, stopping.Token);
        await caller.WriteAsync(body, stopping.Token);
    }

    private async Task<string?> ReadHead(NetworkStream stream)
    {
        var head = new StringBuilder();
        var octet = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(octet, stopping.Token) == 0)
                return null;
            head.Append((char)octet[0]);
        }
        return head.ToString();
    }

    private async Task Write(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.Latin1.GetBytes(text), stopping.Token);
}
