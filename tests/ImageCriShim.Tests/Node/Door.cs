using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// Stands in front of a registry, with a port and so a name of its own: sees every request, answers some itself, can be shut. Requests to
/// a registry that pulls come from have no body, so a connection towards it is a row of request heads; what comes back is not looked at.
/// </summary>
public sealed class Door : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly LabRegistry _registry;
    private readonly ConcurrentQueue<DoorRequest> _requests = new();
    private readonly ConcurrentDictionary<Task, Socket> _serving = new();
    private readonly ConcurrentQueue<string> _strangers = new();
    private readonly Task _accepting;
    private int _connections;

    internal Door(LabRegistry registry)
    {
        _registry = registry;
        _listener.Start(backlog: 512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = Accept();
    }

    public int Port { get; }

    /// <summary>As it stands in the name of an image.</summary>
    public string Host => $"127.0.0.1:{Port}";

    public string Address => $"http://{Host}";

    /// <summary><c>user:password</c> of the registry behind it.</summary>
    public string? Auth => _registry.Auth;

    /// <summary>How often somebody has connected.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public IReadOnlyList<DoorRequest> Requests => [.. _requests];

    /// <summary>What the shim itself has asked for.</summary>
    public IEnumerable<DoorRequest> Probes => Requests.Where(request => request.UserAgent.StartsWith("image-cri-shim/", StringComparison.Ordinal));

    /// <summary>Whether a runtime has fetched blobs here, and not only asked.</summary>
    public bool HasServed => Requests.Any(request => request.IsBlob);

    /// <summary>Pods' pull secrets are for this host, too: an image names it, or the settings forward them.</summary>
    public bool TakesPodSecrets { get; init; }

    /// <summary>What to do with a request; the default is to pass it on.</summary>
    public Func<DoorRequest, DoorAnswer> Behave { get; set; } = _ => DoorAnswer.PassOn;

    /// <summary>Connections are refused from now on, and the ones there are end.</summary>
    public async Task Shut()
    {
        _listener.End();
        foreach (var client in _serving.Values)
            client.Dispose();
        await Task.WhenAll([_accepting, .. _serving.Keys]);
    }

    /// <summary>A secret that is not for this host never came here: each test that ends proves it for its doors.</summary>
    public async ValueTask DisposeAsync()
    {
        await Shut();
        _strangers.Distinct().ShouldBeEmpty($"secrets of others came to {Host}");
    }

    private async Task Accept()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return; // shut
            }

            Interlocked.Increment(ref _connections);
            var served = Serve(client);
            _serving[served] = client;
        }
    }

    private async Task Serve(Socket client)
    {
        await Task.Yield();
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        var mine = new List<DoorRequest>();
        try
        {
            await upstream.ConnectAsync(IPAddress.Loopback, _registry.Port);
            var (caller, registry) = (new NetworkStream(client), new NetworkStream(upstream));
            var answers = registry.CopyToAsync(caller);
            while (await ReadHead(caller) is { } head)
            {
                var request = DoorRequest.Parse(head);
                mine.Add(request);
                _requests.Enqueue(request);
                foreach (var secret in Secrets.FoundIn($"{Encoding.UTF8.GetString(head)}\n{request.Account}").Where(secret => !IsForUs(secret)))
                    _strangers.Enqueue($"{secret}: {request.Method} {request.Path} by {request.UserAgent}");
                switch (Behave(request))
                {
                    case { Status: { } status, Header: var header, Body: var body }:
                        var whole = $"HTTP/1.1 {status} Refused\r\n{header}Content-Length: {body.Length}\r\n\r\n{(request.Method == "HEAD" ? "" : body)}";
                        await caller.WriteAsync(Encoding.ASCII.GetBytes(whole));
                        break;
                    case { Hangs: false, When: var when }:
                        await (when ?? Task.CompletedTask);
                        await registry.WriteAsync(head);
                        break;
                }
            }

            upstream.Dispose();
            await answers;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // One side has gone; the other one is told by closing.
        }
        finally
        {
            client.Dispose();
            mine.ForEach(request => request.End());
        }
    }

    private bool IsForUs(string secret) =>
        Auth?.EndsWith(":" + secret, StringComparison.Ordinal) == true || secret == Secrets.Wrong || (secret == Secrets.OfPod && TakesPodSecrets);

    /// <returns>Null at the end of the connection.</returns>
    private static async Task<byte[]?> ReadHead(Stream caller)
    {
        var head = new List<byte>();
        var next = new byte[1]; // a request comes in one packet; reading it octet by octet is quick enough for what a test asks
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await caller.ReadAsync(next) == 0)
                return null;
            head.Add(next[0]);
        }

        return [.. head];
    }
}

/// <param name="Account"><c>user:password</c> of Basic authentication, whatever else stands in the header; null without one.</param>
public sealed record DoorRequest(string Method, string Path, string UserAgent, string? Account)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsBlob => Path.Contains("/blobs/", StringComparison.Ordinal);

    public bool IsManifest => Path.Contains("/manifests/", StringComparison.Ordinal);

    public bool IsFromRuntime => UserAgent.StartsWith("containerd/", StringComparison.Ordinal);

    /// <summary>Completes when the connection that it came on has ended.</summary>
    public Task Ended => _ended.Task;

    internal void End() => _ended.TrySetResult();

    internal static DoorRequest Parse(byte[] head)
    {
        var lines = Encoding.Latin1.GetString(head).Split("\r\n");
        var words = lines[0].Split(' ');
        return new(words[0], words[1], Header(lines, "User-Agent") ?? "", Header(lines, "Authorization") is { } value ? Decode(value) : null);
    }

    private static string? Header(string[] lines, string name) => lines
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .FirstOrDefault();

    private static string Decode(string authorization) => authorization.StartsWith("Basic ", StringComparison.Ordinal)
        ? Encoding.UTF8.GetString(Convert.FromBase64String(authorization["Basic ".Length..]))
        : authorization;
}

/// <summary>What a door does with a request.</summary>
public sealed record DoorAnswer(int? Status = null, string Header = "", bool Hangs = false, Task? When = null, string Body = "")
{
    public static readonly DoorAnswer PassOn = new();

    /// <summary>Never answers.</summary>
    public static readonly DoorAnswer Hang = new(Hangs: true);

    /// <summary>Wants Basic authentication. A runtime keeps a credential to itself until it is told so.</summary>
    public static readonly DoorAnswer Challenge = new(401, "WWW-Authenticate: Basic realm=\"door\"\r\n");

    /// <summary>Passed on only then.</summary>
    public static DoorAnswer PassOnAfter(Task when) => new(When: when);

    public static DoorAnswer Refuse(int status) => new(status);

    /// <summary>Refuses, and says as whom, in whatever form a registry may say it.</summary>
    public static DoorAnswer Repeat(DoorRequest request)
    {
        var account = request.Account ?? "";
        var said = $"{account}, Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(account))}, {Uri.EscapeDataString(account)}";
        return new(403, "Content-Type: application/json\r\n", Body: $$$"""{"errors":[{"code":"DENIED","message":"no access for {{{said}}}"}]}""");
    }

    /// <summary>Sends to where nobody is, with a signature in the address.</summary>
    public static DoorAnswer SendAway(string signature) => new(307, $"Location: http://127.0.0.1:1/blob?X-Amz-Signature={signature}\r\n");
}
