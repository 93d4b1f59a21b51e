using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Hosting;

/// <summary>
/// Serves pages over HTTP/1.1 to whoever looks at this process: Prometheus, probes, curl, <c>image-cri-shim status</c>. GET and HEAD, and POST where it is
/// wanted; one response to a connection (docs/decisions/0011-pages-by-hand.md). Nothing that it does can hold up a call.
/// </summary>
internal sealed class PageServer : IDisposable
{
    /// <summary>At once; who comes then waits to be accepted. A few look at a node.</summary>
    internal const int MaxRequests = 16;

    /// <summary>Of a request: curl's has a hundred octets, Prometheus' four hundred.</summary>
    internal const int MaxHeadBytes = 8 * 1024;

    /// <summary>Of what is posted: some hundred pulls of a predecessor.</summary>
    internal const int MaxBodyBytes = 1024 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // for the request, and for the answer to be taken
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1); // after accepting failed

    private readonly Socket _listener;
    private readonly Func<string, Page?> _find;
    private readonly Func<string, ReadOnlyMemory<byte>, Page?>? _post;
    private readonly SemaphoreSlim _room = new(MaxRequests);
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="listener">Listens; this object's from now on.</param>
    /// <param name="find">The page at a path; null where there is none.</param>
    /// <param name="post">Takes what is posted to a target (a path, and a query if there is one); null: nothing may be.</param>
    internal PageServer(Socket listener, Func<string, Page?> find, Func<string, ReadOnlyMemory<byte>, Page?>? post = null)
    {
        (_listener, _find, _post) = (listener, find, post);
        _ = AcceptAll();
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAll()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _room.WaitAsync(_stopping.Token);
                var caller = await _listener.AcceptAsync(_stopping.Token);
                _ = Serve(caller);
            }
            catch (SocketException) when (!_stopping.IsCancellationRequested)
            {
                _room.Release();
                await Task.Delay(s_rest, CancellationToken.None); // no descriptor is free: callers wait
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Serve(Socket caller)
    {
        using var patience = new CancellationTokenSource(); // a request that was accepted is served to its end
        try
        {
            using (caller)
            {
                if (Descriptors.LeftAbove(caller.SafeHandle) < Descriptors.LastReserve)
                    return; // those are not for onlookers
                patience.CancelAfter(s_patience);
                if (await PageRequest.Read(caller, patience.Token) is { } request)
                    await Send(caller, Answer(request), patience.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It went away, or is too slow.
        }
        finally
        {
            _room.Release();
        }
    }

    private static async Task Send(Socket caller, byte[] answer, CancellationToken cancellation)
    {
        for (var sent = 0; sent < answer.Length;)
            sent += await caller.SendAsync(answer.AsMemory(sent), cancellation);
        caller.Shutdown(SocketShutdown.Send);
    }

    private byte[] Answer(PageRequest request)
    {
        if (request.Line.Split(' ') is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"])
            return Encode(new Page(400, "this is not an HTTP/1.1 request\n"), withBody: true);
        var page = (method, _post) switch
        {
            ("GET" or "HEAD", _) => _find(target.Split('?')[0]),
            ("POST", { } post) => post(target, request.Body),
            _ => new Page(405, "use GET\n"),
        };
        return Encode(page ?? new Page(404, "there is no such page\n"), withBody: method != "HEAD");
    }

    private static byte[] Encode(Page page, bool withBody)
    {
        var body = Encoding.UTF8.GetBytes(page.Body);
        var head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {page.Status} {ReasonOf(page.Status)}\r\nContent-Type: {page.ContentType}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        return withBody ? [.. head, .. body] : head;
    }

    private static string ReasonOf(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Service Unavailable",
    };
}

/// <param name="Status">Of HTTP.</param>
/// <param name="Body">In UTF-8.</param>
internal sealed record Page(int Status, string Body, string ContentType = "text/plain; charset=utf-8");
