using System.Net.Sockets;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A gRPC caller that sends frames as it is told. Simple calls need one line (<see cref="CallAsync"/>); for anything else
/// <see cref="Start"/> a call and use its stream, or send frames and bytes on <see cref="Connection"/>.
/// </summary>
public sealed class RawCaller : IAsyncDisposable
{
    private RawCaller(RawConnection connection, string authority) => (Connection, Authority) = (connection, authority);

    public RawConnection Connection { get; }

    public string Authority { get; }

    public static async Task<RawCaller> ConnectAsync(string socketPath, RawOptions? options = null, string authority = "localhost")
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new(new RawConnection(socket, isCaller: true, options ?? new()), authority);
    }

    /// <summary>Sends the request headers of a call.</summary>
    public RawStream Start(string path, params IEnumerable<Header> metadata) => Connection.Open(RequestHeaders(path, metadata));

    /// <summary>A call with one message, as grpc-go sends it, and its whole answer.</summary>
    public async Task<RawAnswer> CallAsync(string path, byte[] message, params IEnumerable<Header> metadata)
    {
        var stream = Start(path, metadata);
        await stream.SendMessageAsync(message, end: true);
        return await stream.ReadAnswerAsync();
    }

    public List<Header> RequestHeaders(string path, params IEnumerable<Header> metadata) =>
    [
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", Authority), ("content-type", "application/grpc"),
        ("user-agent", "raw-caller"), ("te", "trailers"), .. metadata,
    ];

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
