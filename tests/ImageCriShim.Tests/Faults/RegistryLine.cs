using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// The way to a registry, with a port of its own, on which <see cref="Fault"/> can be anything that networks and registries do. It acts on
/// connections that are there and on those that come.
/// </summary>
internal sealed class RegistryLine : IAsyncDisposable
{
    private readonly int _upstreamPort;
    private readonly ConcurrentDictionary<Task, Socket> _serving = new();
    private readonly List<Socket> _queue = [];
    private readonly TaskCompletionSource _closing = new();
    private Socket _listener;
    private LineFault _fault = LineFault.None;

    private RegistryLine(int upstreamPort, X509Certificate2? certificate)
    {
        (_upstreamPort, Certificate) = (upstreamPort, certificate);
        _listener = Listen(0, backlog: 512);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _ = Accept(_listener);
    }

    public int Port { get; }

    /// <summary>As it stands in the name of an image.</summary>
    public string Host => $"127.0.0.1:{Port}";

    public string Address => $"http{(Certificate is null ? "" : "s")}://{Host}";

    /// <summary>What connections from now on are shown; null speaks plain http.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>How many connections to it are being tried, in vain; those that fill the queue are among them.</summary>
    public int Attempts => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(connection => connection.State == TcpState.SynSent && connection.RemoteEndPoint.Port == Port);

    /// <summary>How many have come so far.</summary>
    public int Connections { get; private set; }

    public LineFault Fault
    {
        get => Volatile.Read(ref _fault);
        set
        {
            var before = Interlocked.Exchange(ref _fault, value);
            if (before.TakesNobody || value.TakesNobody)
                ListenAgain(value);
            if (value.IsRefused)
                CloseAll();
        }
    }

    public static RegistryLine To(int upstreamPort, X509Certificate2? certificate = null) => new(upstreamPort, certificate);

    public async ValueTask DisposeAsync()
    {
        _closing.SetResult();
        _listener.Dispose();
        _queue.ForEach(socket => socket.Dispose());
        CloseAll();
        await Task.WhenAll(_serving.Keys);
    }

    private void CloseAll()
    {
        foreach (var socket in _serving.Values)
            socket.Dispose();
    }

    private static Socket Listen(int port, int backlog)
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(backlog);
        return listener;
    }

    private void ListenAgain(LineFault fault)
    {
        _listener.Dispose();
        _queue.ForEach(socket => socket.Dispose());
        _queue.Clear();
        if (fault.IsRefused)
            return;
        _listener = Listen(Port, fault.IsDropped ? 1 : 512);
        if (fault.IsDropped)
            FillQueue();
        else
            _ = Accept(_listener);
    }

    // A listener whose queue is full: the kernel drops every further SYN.
    private void FillQueue()
    {
        for (var i = 0; i < 4; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _queue.Add(socket);
            try
            {
                socket.Connect(IPAddress.Loopback, Port);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // Under way, which is all that is wanted.
            }
        }
    }

    private async Task Accept(Socket listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync();
                Connections++;
                var served = Serve(client);
                _serving[served] = client;
                _ = served.ContinueWith(ended => _serving.TryRemove(ended, out _), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed, by the fault or by the end.
        }
    }

    private async Task Serve(Socket client)
    {
        await Task.Yield();
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await using var near = await Secure(new NetworkStream(client));
                await upstream.ConnectAsync(IPAddress.Loopback, _upstreamPort);
                await using var far = new NetworkStream(upstream);
                await Task.WhenAny(Ask(near, far), Answer(far, near));
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
            {
                // One side has gone or does not believe us; the other one is told by closing.
            }
        }
    }

    private async Task<Stream> Secure(Stream plain)
    {
        if (Certificate is not { } certificate)
            return plain;
        if (Fault.HangsAfter == 0)
            await _closing.Task; // in the middle of the handshake
        var secure = new SslStream(plain);
        await secure.AuthenticateAsServerAsync(certificate);
        return secure;
    }

    private async Task Ask(Stream near, Stream far)
    {
        var bytes = new byte[16 * 1024];
        for (int count; (count = await near.ReadAsync(bytes)) > 0;)
        {
            if (Fault.Answer is { } answer)
                await near.WriteAsync(answer);
            else
                await far.WriteAsync(bytes.AsMemory(0, count));
        }
    }

    private async Task Answer(Stream far, Stream near)
    {
        var bytes = new byte[16 * 1024];
        for (int count; (count = await far.ReadAsync(bytes)) > 0;)
        {
            var fault = Fault;
            if (fault.HangsAfter is { } passed)
            {
                await near.WriteAsync(bytes.AsMemory(0, Math.Min(count, passed)));
                await _closing.Task;
            }

            await Task.Delay(fault.DelayOf(count));
            await near.WriteAsync(bytes.AsMemory(0, count));
        }
    }
}

/// <summary>What a <see cref="RegistryLine"/> does to its registry.</summary>
/// <param name="IsRefused">Nobody listens.</param>
/// <param name="IsDropped">No connection can be made any more: its packets vanish.</param>
/// <param name="HangsAfter">So many octets of an answer come, then nothing any more.</param>
/// <param name="Answer">Is given to every request.</param>
/// <param name="OctetsPerSecond">Of the line.</param>
/// <param name="Loss">The share of pieces that come only when they are sent again.</param>
internal sealed record LineFault(
    bool IsRefused = false, bool IsDropped = false, int? HangsAfter = null, byte[]? Answer = null, int? OctetsPerSecond = null, double Loss = 0)
{
    private static readonly TimeSpan s_retransmission = TimeSpan.FromMilliseconds(200); // TCP's smallest (RFC 6298, as Linux has it)

    public static readonly LineFault None = new();
    public static readonly LineFault Refused = new(IsRefused: true);
    public static readonly LineFault Dropped = new(IsDropped: true, HangsAfter: 0);
    public static readonly LineFault Slow = new(OctetsPerSecond: 2_000_000 / 8);
    public static readonly LineFault Lossy = new(Loss: 0.2);
    public static readonly LineFault Broken = Saying("500 Internal Server Error", """{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}""");
    public static readonly LineFault OutOfDisk = Saying("503 Service Unavailable", """{"errors":[{"code":"UNAVAILABLE","message":"write /var/lib/registry: no space left on device"}]}""");

    public bool IsSlow => OctetsPerSecond is not null || Loss > 0;

    public bool TakesNobody => IsRefused || IsDropped;

    public static LineFault HungAfter(int octets) => new(HangsAfter: octets);

    public TimeSpan DelayOf(int octets)
    {
        var delay = OctetsPerSecond is { } rate ? TimeSpan.FromSeconds((double)octets / rate) : TimeSpan.Zero;
        for (var wait = s_retransmission; Random.Shared.NextDouble() < Loss; wait *= 2) // it may be lost again
            delay += wait;
        return delay;
    }

    private static LineFault Saying(string status, string body) =>
        new(Answer: Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
}
