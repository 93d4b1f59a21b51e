using System.Net;
using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>
/// A gRPC caller on .NET's own HTTP/2 stack: one connection, made again when it is lost; a call that a GOAWAY says was never looked at is
/// made again by the stack, as grpc clients do. Everything that goes wrong is a status, as a grpc client reports it.
/// </summary>
internal sealed class Channel : IDisposable
{
    /// <summary>Also of calls without a deadline: what hangs longer counts as hung.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;

    public Channel(string socketPath)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5), // as kubelet
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://localhost"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <param name="path">Of the method.</param>
    /// <param name="message">The request.</param>
    /// <param name="deadline">Told to the other side, too; without one only <see cref="Patience"/> ends the call.</param>
    /// <param name="given">Up by the caller.</param>
    public async Task<Outcome> CallAsync(string path, byte[] message, TimeSpan? deadline = null, CancellationToken given = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(given);
        patience.CancelAfter(deadline ?? Patience);
        try
        {
            return await CallAsync(MakeRequest(path, message, deadline), patience.Token);
        }
        catch (OperationCanceledException)
        {
            return given.IsCancellationRequested ? new(GrpcStatus.Cancelled, "given up") : new(GrpcStatus.DeadlineExceeded, "the caller's own deadline");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Lost(e);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<Outcome> CallAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            var body = await answer.Content.ReadAsByteArrayAsync(cancel);
            var status = Find(answer, "grpc-status");
            return status is null
                ? new(GrpcStatus.Internal, $"HTTP {(int)answer.StatusCode} without a grpc-status")
                : new((GrpcStatus)int.Parse(status), Uri.UnescapeDataString(Find(answer, "grpc-message") ?? ""), body);
        }
    }

    private static HttpRequestMessage MakeRequest(string path, byte[] message, TimeSpan? deadline)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcMessage.Encode(message)),
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.TryAddWithoutValidation("te", "trailers");
        if (deadline is { } limit)
            request.Headers.TryAddWithoutValidation("grpc-timeout", $"{limit.TotalMilliseconds:0}m");
        return request;
    }

    // In trailers, or in the headers of an answer that is nothing else.
    private static string? Find(HttpResponseMessage answer, string name) =>
        answer.TrailingHeaders.TryGetValues(name, out var trailing) || answer.Headers.TryGetValues(name, out trailing) ? trailing.First() : null;

    // The codes of gRPC's HTTP/2 mapping; a connection that is gone or cannot be had is UNAVAILABLE.
    private static Outcome Lost(Exception e) => new(
        Innermost<HttpProtocolException>(e)?.ErrorCode switch
        {
            (long)Http2Error.Cancel => GrpcStatus.Cancelled,
            (long)Http2Error.EnhanceYourCalm => GrpcStatus.ResourceExhausted,
            (long)Http2Error.ProtocolError or (long)Http2Error.InternalError or (long)Http2Error.FlowControlError => GrpcStatus.Internal,
            _ => GrpcStatus.Unavailable,
        },
        Innermost<Exception>(e)!.Message);

    private static T? Innermost<T>(Exception? e) where T : Exception
    {
        T? found = null;
        for (; e is not null; e = e.InnerException)
            found = e as T ?? found;
        return found;
    }
}

/// <summary>How a call ended.</summary>
/// <param name="Body">What came, with the prefix of its message; null where nothing did.</param>
internal sealed record Outcome(GrpcStatus Status, string Text, byte[]? Body = null)
{
    public bool IsOk => Status == GrpcStatus.Ok;

    public byte[] Message => Body is { Length: > GrpcMessage.PrefixLength } body ? body[GrpcMessage.PrefixLength..] : [];
}

/// <summary>google.rpc.Code.</summary>
internal enum GrpcStatus
{
    Ok, Cancelled, Unknown, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists, PermissionDenied, ResourceExhausted,
    FailedPrecondition, Aborted, OutOfRange, Unimplemented, Internal, Unavailable, DataLoss, Unauthenticated,

    /// <summary>Not gRPC's: the answer was OK and wrong.</summary>
    Wrong = 100,
}
