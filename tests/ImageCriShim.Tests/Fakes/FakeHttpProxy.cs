using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
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

    private readonly ConcurrentQueue<string?> credentials = new();
    private readonly X509Certificate2? certificate;

    private FakeHttpProxy(X509Certificate2? certificate)
    {
        this.certificate = certificate;
        listener.Start();
        _ = Accept();
    }

    /// <summary>Where a host and port of a request really are.</summary>
    public ConcurrentDictionary<string, int> Hosts { get; } = new();

    /// <summary>If set, it wants it.</summary>
    public (string User, string Password)? Account { get; set; }

    /// <summary>What it offers to whoever comes without: a <c>Proxy-Authenticate</c> header for each.</summary>
    public string[] Offers { get; set; } = ["Basic realm=\"corp\""];

    /// <summary>Whether it closes the connection instead of saying what it wants.</summary>
    public bool DropsStrangers { get; set; }

    /// <summary>What it answers to CONNECT instead of making a tunnel.</summary>
    public string? Answer { get; set; }

    /// <summary>The <c>Proxy-Authorization</c> of each request; null where there was none.</summary>
    public IReadOnlyCollection<string?> Credentials => credentials;

    public string Host => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>The first line of each request that was let through.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    public static FakeHttpProxy Start(X509Certificate2? certificate = null) => new(certificate);

    public ValueTask DisposeAsync()
    {
        stopping.Cancel();
        listener.End();
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
                await using var stream = certificate is null ? (Stream)caller.GetStream() : await Secure(caller.GetStream());
                while (await ReadHead(stream) is { } head && !await Handle(head, stream))
                {
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or AuthenticationException)
            {
                // Either side has gone.
            }
        }
    }

    private async Task<Stream> Secure(NetworkStream plain)
    {
        var secure = new SslStream(plain);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stopping.Token);
        return secure;
    }

    private async Task<bool> Refuse(Stream caller)
    {
        if (!DropsStrangers)
            await Write(caller, $"HTTP/1.1 407 Who\r\n{string.Concat(Offers.Select(offer => $"Proxy-Authenticate: {offer}\r\n"))}Content-Length: 0\r\n\r\n");
        return DropsStrangers;
    }

    /// <returns>True if the connection has done its work.</returns>
    private async Task<bool> Handle(string head, Stream caller)
    {
        credentials.Enqueue(head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Proxy-Authorization: ", StringComparison.Ordinal))?["Proxy-Authorization: ".Length..]);
        if (Account is { } account && !head.Contains($"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{account.User}:{account.Password}"))}\r\n"))
            return await Refuse(caller);
        var line = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
        var isTunnel = line[0] == "CONNECT";
        var target = isTunnel ? line[1] : new Uri(line[1]).Authority;
        if (isTunnel && Answer is { } answer)
        {
            await Write(caller, answer);
            return true;
        }
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
            var own = head.Split("\r\n").Where(line => !line.StartsWith("Proxy-", StringComparison.Ordinal)); // it is hop by hop
            await Write(onward, string.Join("\r\n", own).Replace($"http://{target}", "", StringComparison.Ordinal));
            await PassOn(onward, caller, hasBody: line[0] != "HEAD");
            return false;
        }
        await Write(caller, "HTTP/1.1 200 Connected\r\n\r\n");
        await Task.WhenAny(caller.CopyToAsync(onward, stopping.Token), onward.CopyToAsync(caller, stopping.Token));
        return true;
    }

    private async Task PassOn(Stream registry, Stream caller, bool hasBody)
    {
        var head = await ReadHead(registry) ?? throw new IOException("the registry has gone");
        await Write(caller, head);
        var length = head.Split("Content-Length: ")[1];
        var body = new byte[hasBody ? int.Parse(length[..length.IndexOf('\r')]) : 0];
        await registry.ReadExactlyAsync(body, stopping.Token);
        await caller.WriteAsync(body, stopping.Token);
    }

    private async Task<string?> ReadHead(Stream stream)
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

    private async Task Write(Stream stream, string text) => await stream.WriteAsync(Encoding.Latin1.GetBytes(text), stopping.Token);
}
