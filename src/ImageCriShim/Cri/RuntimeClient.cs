using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Calls of our own to the runtime: a look-up under another name, a pull from the next registry. They go over a connection of their
/// own, so that no stream of a caller's connection is ever ours.
/// </summary>
internal sealed class RuntimeClient : IDisposable
{
    private static readonly Version s_http2 = new(2, 0);

    private readonly HttpMessageInvoker _http;
    private readonly string _socket;

    internal RuntimeClient(RuntimeSocket runtime)
    {
        _socket = runtime.Path;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null, // traceparent is the caller's
            ConnectCallback = (_, _) => Connect(runtime),
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        });
    }

    /// <summary>One unary call.</summary>
    /// <param name="timeout">What is left of the caller's deadline.</param>
    /// <returns>The runtime's answer; UNAVAILABLE, naming the socket, where it could not be reached.</returns>
    /// <exception cref="OperationCanceledException"/>
    internal async Task<RuntimeReply> Call(CallerHead head, ReadOnlyMemory<byte> message, TimeSpan timeout, CancellationToken cancellation)
    {
        const int attempts = 2; // a pooled connection may be one to a runtime that has restarted since; all calls here are idempotent
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var request = MakeRequest(head, message, timeout);
                using var response = await _http.SendAsync(request, cancellation);
                return await Read(response, cancellation);
            }
            catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
            {
                return Failed(
                    StatusCode.ResourceExhausted,
                    $"the runtime's answer is larger than {RelayLimits.MessageBytes} bytes, the limit for calls that are edited");
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                if (attempt == attempts)
                    return Unavailable(e);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static ValueTask<Stream> Connect(RuntimeSocket runtime)
    {
        var socket = runtime.TryConnect(out var reason); // waits some milliseconds at most
        return socket is null ? throw new RuntimeAwayException(reason) : ValueTask.FromResult<Stream>(new NetworkStream(socket, ownsSocket: true));
    }

    private static HttpRequestMessage MakeRequest(CallerHead head, ReadOnlyMemory<byte> message, TimeSpan timeout)
    {
        var content = new ByteArrayContent(GrpcMessage.Frame(message.Span));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://localhost{head.Path}"))
        {
            Version = s_http2,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("grpc-timeout", GrpcTimeout.Format(timeout));
        foreach (var (name, value) in head.Metadata)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task<RuntimeReply> Read(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.StatusCode is not HttpStatusCode.OK)
            return Failed(StatusCode.Unknown, $"the runtime answered HTTP {(int)response.StatusCode}");
        await response.Content.LoadIntoBufferAsync(GrpcMessage.PrefixBytes + RelayLimits.MessageBytes, cancellation);
        var body = await response.Content.ReadAsByteArrayAsync(cancellation);
        var trailersOnly = response.Headers.NonValidated.Contains("grpc-status");
        var trailers = Metadata(trailersOnly ? response.Headers : response.TrailingHeaders);
        var status = ReadStatus(trailers);
        if (!status.IsOk)
            return new RuntimeReply(status, default, trailersOnly ? [] : Metadata(response.Headers), trailers);
        return GrpcMessage.TryReadOnly(body, static () => null, out var message)
            ? new RuntimeReply(status, message, Metadata(response.Headers), trailers)
            : Failed(StatusCode.Internal, "the runtime's answer is not one uncompressed message");
    }

    private static List<KeyValuePair<string, string>> Metadata(HttpResponseHeaders headers)
    {
        var metadata = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in headers.NonValidated)
        {
            var lower = name.ToLowerInvariant();
            if (lower is "content-type" or "content-length" or "grpc-encoding" or "grpc-accept-encoding" or "trailer")
                continue;
            foreach (var value in values)
                metadata.Add(new(lower, value));
        }

        return metadata;
    }

    private static GrpcStatus ReadStatus(List<KeyValuePair<string, string>> trailers)
    {
        var code = trailers.Find(trailer => trailer.Key == "grpc-status").Value;
        var message = trailers.Find(trailer => trailer.Key == "grpc-message").Value ?? "";
        return int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new GrpcStatus((StatusCode)number, Uri.UnescapeDataString(message))
            : new GrpcStatus(StatusCode.Internal, "the runtime ended the call without a status");
    }

    // In words of our own: the published program carries no framework messages.
    private RuntimeReply Unavailable(Exception e) => Failed(StatusCode.Unavailable, (e.GetBaseException(), e) switch
    {
        (RuntimeAwayException away, _) => away.Message,
        (_, HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http) =>
            $"the call to the container runtime on {_socket} broke off ({http.HttpRequestError})",
        (SocketException socket, _) => $"the call to the container runtime on {_socket} broke off ({socket.SocketErrorCode})",
        _ => $"the call to the container runtime on {_socket} broke off",
    });

    private sealed class RuntimeAwayException(string reason) : IOException(reason);

    private static RuntimeReply Failed(StatusCode code, string message)
    {
        var answer = StreamAnswer.Error((int)code, $"image-cri-shim: {message}");
        return new RuntimeReply(new GrpcStatus(code, message), default, [], answer.Trailers);
    }
}
