using System.Diagnostics;
using System.Globalization;
using ImageCriShim.Registries;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Calls of our own to the runtime: a look-up under another name, a pull from the next registry. They go over connections of their
/// own, so that no stream of a caller's connection is ever ours.
/// </summary>
internal sealed class RuntimeClient(RuntimeSocket runtime) : IDisposable
{
    /// <summary>
    /// Of our own to the runtime, at once: half of them are left for looking up images while as many pulls as there may be go on.
    /// </summary>
    internal const int MaxConnections = 2 * CallLimits.MaxPullsAtRuntime;

    private const int LongestHttpStatus = 8; // three digits

    private const int MaxWaiting = 4096; // for one of them; a call that waits costs some KiB

    /// <summary>A look-up takes a tenth of a millisecond: where none has ended by then, the runtime hangs.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>cri-dockerd calls itself so.</summary>
    private const string Docker = "docker";
    private const string Crio = "cri-o";

    private readonly Places _places = new(MaxConnections, MaxWaiting, TimeProvider.System);
    private readonly IdleConnections _idle = new();
    private string _name = "";

    /// <summary>What the runtime calls itself; empty until it was asked for its version.</summary>
    internal string Name { get => Volatile.Read(ref _name); set => Volatile.Write(ref _name, value); }

    /// <summary>Whether the runtime writes names of Docker Hub without the host: <c>nginx:1.25</c>.</summary>
    internal bool WritesShortNames => Name == Docker;

    /// <summary>Whether the runtime removes an image by any of its names, and not that name alone, or nothing.</summary>
    internal bool RemovesWholeImages => Name is not (Docker or Crio);

    /// <summary>One unary call.</summary>
    /// <param name="timeout">What is left of the caller's deadline.</param>
    /// <returns>The runtime's answer; UNAVAILABLE, naming the socket, where it could not be reached.</returns>
    /// <exception cref="OperationCanceledException"/>
    internal async Task<RuntimeReply> Call(CallerHead head, ReadOnlyMemory<byte> message, TimeSpan timeout, CancellationToken cancellation)
    {
        const int attempts = 2; // an idle connection may be one to a runtime that has restarted since; all calls here are idempotent
        using var place = await _places.Enter(s_patience, cancellation);
        if (place is null)
        {
            return Failed(
                StatusCode.ResourceExhausted, $"{MaxConnections} calls of the shim's own are in progress at the runtime, which is the limit; does {runtime.Path} hang?");
        }

        var (begin, fields) = (Stopwatch.GetTimestamp(), FieldsOf(head, timeout));
        for (var attempt = 1; ; attempt++)
        {
            var reason = "";
            if ((_idle.TakeUsable() ?? Connect(out reason) ?? _idle.TakeSpare()) is not { } connection)
                return Failed(StatusCode.Unavailable, reason);

            try
            {
                return Read(await connection.Call(head.Path, fields, GrpcMessage.Frame(message.Span), cancellation));
            }
            catch (AnswerTooLargeException)
            {
                return Failed(
                    StatusCode.ResourceExhausted,
                    $"the runtime's answer is larger than {RelayLimits.MessageBytes} bytes, the limit for calls that are edited");
            }
            catch (RuntimeConnectionException e)
            {
                // A runtime resets a call whose deadline is over, and may be faster than our own timer. grpc-go tells it in this way, too.
                var isLate = Stopwatch.GetElapsedTime(begin) >= timeout;
                if (attempt == attempts || !e.MayBeMadeAgain || isLate)
                {
                    var code = isLate ? StatusCode.DeadlineExceeded : e.Code;
                    return Failed(code, $"the call to the container runtime on {runtime.Path} broke off: {e.Message}");
                }
            }
            finally
            {
                PutBack(connection);
            }
        }
    }

    /// <summary>Sends a call whose answer may be needed, over a connection that is there and without waiting.</summary>
    /// <returns>Null where that cannot be done now.</returns>
    internal AheadCall? Begin(CallerHead head, ReadOnlyMemory<byte> message, TimeSpan timeout)
    {
        // Whether it still stands, its answer will show.
        if (_idle.TakeAny() is not { } connection)
            return null;
        try
        {
            if (connection.TryBegin(head.Path, FieldsOf(head, timeout), GrpcMessage.Frame(message.Span)))
                return new AheadCall(this, connection);
        }
        catch (RuntimeConnectionException)
        {
            // The ordinary call will find out.
        }

        PutBack(connection);
        return null;
    }

    /// <summary>A call without a message, for what a connection is to begin with. Blocks for as long as the runtime does.</summary>
    /// <param name="isWanted">Asked now and then.</param>
    /// <returns>Null where it is not wanted any more.</returns>
    internal RuntimeReply? CallAndWait(string path, Func<bool> isWanted)
    {
        var (look, longest) = (TimeSpan.FromMilliseconds(50), TimeSpan.FromDays(30)); // a runtime that hangs may go on; so does its caller's wait
        using var gone = new CancellationTokenSource();
        var call = Call(new CallerHead(path, null, null, []), default, longest, gone.Token);
        while (!call.IsCompleted && Task.WaitAny([call], look) < 0)
        {
            if (!isWanted())
                gone.Cancel();
        }

        return call.IsCompletedSuccessfully ? call.Result : null;
    }

    /// <summary>After its call has ended.</summary>
    internal void PutBack(RuntimeConnection connection) => _idle.PutBack(connection);

    public void Dispose() => _idle.Dispose();

    /// <summary>Waits some milliseconds at most.</summary>
    private RuntimeConnection? Connect(out string reason) => runtime.TryConnect(out reason) is { } socket ? new RuntimeConnection(socket) : null;

    private static List<KeyValuePair<string, string>> FieldsOf(CallerHead head, TimeSpan timeout) =>
    [
        new("content-type", "application/grpc"), new("te", "trailers"), new("grpc-timeout", GrpcTimeout.Format(timeout)), .. head.Metadata,
    ];

    internal static RuntimeReply Read(RuntimeAnswer answer)
    {
        var trailers = answer.Trailers ?? [];
        if (answer.HttpStatus != "200" && !trailers.Exists(trailer => trailer.Key == "grpc-status"))
            return Failed(CodeOfHttp(answer.HttpStatus), $"the runtime answered HTTP {PrintableText.Of(answer.HttpStatus, LongestHttpStatus)}");
        var status = ReadStatus(trailers);
        if (!status.IsOk)
            return new RuntimeReply(status, default, answer.Headers, trailers);
        return GrpcMessage.TryReadOnly(answer.Body, () => answer.Encoding, out var message)
            ? new RuntimeReply(status, message, answer.Headers, trailers)
            : Failed(StatusCode.Internal, "the runtime's answer is not one message, or compressed in an unknown way");
    }

    /// <summary>Where gRPC has said nothing (grpc/doc/http-grpc-status-mapping.md).</summary>
    private static StatusCode CodeOfHttp(string status) => status switch
    {
        "400" => StatusCode.Internal,
        "401" => StatusCode.Unauthenticated,
        "403" => StatusCode.PermissionDenied,
        "404" => StatusCode.Unimplemented,
        "429" or "502" or "503" or "504" => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static GrpcStatus ReadStatus(List<KeyValuePair<string, string>> trailers)
    {
        var code = trailers.Find(trailer => trailer.Key == "grpc-status").Value;
        var message = trailers.Find(trailer => trailer.Key == "grpc-message").Value ?? "";
        return int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new GrpcStatus((StatusCode)number, Uri.UnescapeDataString(message))
            : new GrpcStatus(StatusCode.Internal, "the runtime ended the call without a status");
    }

    private static RuntimeReply Failed(StatusCode code, string message)
    {
        var answer = StreamAnswer.Error((int)code, $"image-cri-shim: {message}");
        return new RuntimeReply(new GrpcStatus(code, message), default, [], answer.Trailers) { IsOurs = true };
    }
}
