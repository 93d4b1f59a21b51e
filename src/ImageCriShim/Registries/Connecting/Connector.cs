using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ImageCriShim.Registries.Connecting;

/// <summary>Opens connections to registries, token servers and proxies: looks up the name, connects, speaks TLS.</summary>
/// <param name="time">Measures how long each step takes.</param>
/// <param name="lookUp">Finds the addresses of names.</param>
internal sealed class Connector(TimeProvider time, NameLookup lookUp)
{
    /// <summary>For everything between the addresses of a name and a connection that can be used.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // a dead registry must not cost more

    /// <summary>Connects to a host and closes the connection: a sign of life.</summary>
    /// <exception cref="SocketException">There is no connection.</exception>
    public async Task Try(Uri hop, TimeSpan patience, CancellationToken cancellation)
    {
        var addresses = await LookUp(hop.IdnHost, cancellation);
        using var socket = await HappyEyeballs.Connect(addresses, hop.Port, patience, time, cancellation);
    }

    /// <param name="route">Where to, and over which proxy.</param>
    /// <param name="trace">Is told of each step.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="ConnectionException">A step takes too long or fails in a way that is known.</exception>
    /// <exception cref="IOException">The host may not be connected to, or the connection breaks.</exception>
    /// <exception cref="SocketException">There is no connection.</exception>
    public async Task<Stream> Open(Route route, RequestTrace trace, CancellationToken cancellation)
    {
        trace.Stage = ConnectStage.LookUp;
        var addresses = await LookUp(route.Hop.IdnHost, cancellation);
        if (route.IsElsewhere)
            LinkLocal.Refuse(route.Hop.IdnHost, addresses);
        using var timeout = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            trace.Stage = ConnectStage.Connect;
            var socket = await HappyEyeballs.Connect(addresses, route.Hop.Port, Patience, time, either.Token);
            var stream = await Complete(new NetworkStream(socket, ownsSocket: true), route, trace, either.Token);
            trace.Stage = ConnectStage.None;
            return stream;
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ConnectionException(trace.Stage.Describe(Patience), e);
        }
    }

    /// <summary>Passes the proxy, if there is one, and speaks TLS, if it is spoken. Closes the connection where that fails.</summary>
    private static async Task<Stream> Complete(Stream stream, Route route, RequestTrace trace, CancellationToken cancellation)
    {
        try
        {
            if (route.Tunnel is not null)
            {
                trace.Stage = ConnectStage.Proxy;
                if (route.ProxyTls is not null)
                    stream = await Secure(stream, route.ProxyTls, cancellation);
                await ProxyTunnel.Make(stream, route.Tunnel, route.ProxyCredential, cancellation);
            }
            trace.Stage = ConnectStage.Handshake;
            return route.Tls is null ? stream : await Secure(stream, route.Tls, cancellation);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static async Task<Stream> Secure(Stream plain, SslClientAuthenticationOptions tls, CancellationToken cancellation)
    {
        var first = new FirstBytes(plain);
        var secure = new SslStream(first);
        try
        {
            await secure.AuthenticateAsClientAsync(tls, cancellation);
            return secure;
        }
        catch (Exception e)
        {
            await secure.DisposeAsync();
            if (e is IOException or AuthenticationException)
                throw new HandshakeException(HandshakeFailure.Explain(first.Seen, e), e);
            throw;
        }
    }

    private async Task<IReadOnlyList<IPAddress>> LookUp(string host, CancellationToken cancellation) =>
        IPAddress.TryParse(host, out var address) ? [address] : await lookUp(host, cancellation);
}
