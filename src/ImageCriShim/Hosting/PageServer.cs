using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Hosting;

/// <summary>
/// Serves pages over HTTP/1.1 to whoever looks at this process: Prometheus, probes, curl, <c>image-cri-shim status</c>. GET and HEAD, one answer to a
/// connection (docs/decisions/0011-pages-by-hand.md). Nothing that it does can hold up a call.
/// </summary>
internal sealed class PageServer : IDisposable
{
    /// <summary>At once; who comes then waits to be accepted. A few look at a node.</summary>
    internal const int MaxRequests = 16;

    /// <summary>Of a request: curl's has a hundred octets, Prometheus' four hundred.</summary>
    internal const int MaxHeadBytes = 8 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // for the request, and for the answer to be taken
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1); // after accepting failed

    private readonly Socket _listener;
    private readonly Func<string, Page?> _find;
    private readonly SemaphoreSlim _room = new(MaxRequests);
    private readonly CancellationTokenSource _stopping = new();

    /// <param name="listener">Listens; this object's from now on.</param>
    /// <param name="find">The page at a path; null where there is none.</param>
    internal PageServer(Socket listener, Func<string, Page?> find)
    {
        (_listener, _find) = (listener, find);
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
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        try
        {
            using (caller)
            {
                if (Descriptors.LeftAbove(caller.SafeHandle) < Descriptors.LastReserve)
                    return; // those are not for onlookers
                patience.CancelAfter(s_patience);
                if (await ReadHead(caller, patience.Token) is { } head)
                    await Send(caller, Answer(head), patience.Token);
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

    /// <returns>The request's first line; null where none came.</returns>
    private static async Task<string?> ReadHead(Socket caller, CancellationToken cancellation)
    {
        var head = new byte[MaxHeadBytes];
        for (var length = 0; length < head.Length;)
        {
            var read = await caller.ReceiveAsync(head.AsMemory(length), cancellation);
            if (read == 0)
                return null;
            length += read;
            if (head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
                return Encoding.Latin1.GetString(head, 0, head.AsSpan().IndexOf("\r\n"u8));
        }

        return ""; // too long
    }

    private static async Task Send(Socket caller, byte[] answer, CancellationToken cancellation)
    {
        for (var sent = 0; sent < answer.Length;)
            sent += await caller.SendAsync(answer.AsMemory(sent), cancellation);
        caller.Shutdown(SocketShutdown.Send);
    }

    private byte[] Answer(string requestLine)
    {
        if (requestLine.Split(' ') is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"])
            return Encode(new Page(400, "this is not an HTTP/1.1 request\n"), withBody: true);
        if (method is not ("GET" or "HEAD"))
            return Encode(new Page(405, "use GET\n"), withBody: true);
        var page = _find(target.Split('?')[0]) ?? new Page(404, "there is no such page\n");
        return Encode(page, withBody: method == "GET");
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
