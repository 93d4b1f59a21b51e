using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Hosting;

/// <summary>
/// Serves pages over HTTP/1.1 to whoever looks at this process: Prometheus, probes, curl, <c>image-cri-shim status</c>. GET and HEAD, and POST where it is
/// wanted; one response to a connection (docs/decisions/0011-pages-by-hand.md). Nothing that it does can hold up a call.
/// </summary>
internal sealed class PageServer : IDisposable
{
    /// <summary>
    /// At once. Who comes then waits to be accepted; for him those are closed that have been silent for a while, so that he waits for as many
    /// quarters of a second as there are idlers before him, by the hundred.
    /// </summary>
    internal const int MaxConnections = 256;

    /// <summary>Pages that are made at the same time; they may wait for the runtime, or for a lock. The health page waits for none of them.</summary>
    internal const int MaxAnswers = 4;

    private const string Health = "/healthz";

    /// <summary>Of a request: curl's has a hundred octets, Prometheus' four hundred.</summary>
    internal const int MaxHeadBytes = 8 * 1024;

    /// <summary>Of what is posted: some hundred pulls of a predecessor.</summary>
    internal const int MaxBodyBytes = 1024 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // for the request, and for the answer to be taken
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(250); // probes ask at once, also from a busy machine
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(25); // for a free place
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(1); // after accepting failed

    private readonly Socket _listener;
    private readonly Func<string, Page?> _find;
    private readonly Func<string, ReadOnlyMemory<byte>, Page?>? _post;
    private readonly SemaphoreSlim _answers = new(MaxAnswers);
    private readonly LinkedList<Silent> _silent = []; // the eldest first
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private int _connections;

    /// <param name="listener">Listens; this object's from now on.</param>
    /// <param name="find">The page at a path; null where there is none.</param>
    /// <param name="post">Takes what is posted to a target (a path, and a query if there is one); null: nothing may be.</param>
    internal PageServer(Socket listener, Func<string, Page?> find, Func<string, ReadOnlyMemory<byte>, Page?>? post = null)
    {
        (_listener, _find, _post) = (listener, find, post);
        _accepting = AcceptAll();
    }

    /// <summary>Accepts no more, and waits until those that have been accepted and ask have their response: 5 s at most.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        SpinWait.SpinUntil(IsOver, s_patience);
    }

    private bool IsOver()
    {
        EndSilent();
        return _accepting.IsCompleted && Volatile.Read(ref _connections) == 0;
    }

    private async Task AcceptAll()
    {
        // It may be another process's too, and .NET shuts down what is disposed of in the middle of a call (as in Relay/Acceptor).
        using var listener = _listener;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await WaitForPlace();
                var caller = await _listener.AcceptAsync(_stopping.Token);
                Interlocked.Increment(ref _connections);
                _ = Task.Run(() => Serve(caller)); // elsewhere: to make a page may take long
            }
            catch (Exception) when (!_stopping.IsCancellationRequested)
            {
                // No descriptor is free: callers wait.
                await Task.Delay(s_rest, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Serve(Socket caller)
    {
        using var patience = new CancellationTokenSource(s_patience); // a request that was accepted is served to its end
        var silent = Note(caller, patience);
        try
        {
            using (caller)
            {
                if (Descriptors.LeftAbove(caller.SafeHandle) < Descriptors.LastReserve)
                    return; // those are not for onlookers
                var request = await PageRequest.Read(caller, patience.Token);
                Forget(silent);
                if (request is not null)
                    await Send(caller, await Answer(request, patience.Token), patience.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It went away, is too slow, or was silent for longest.
        }
        finally
        {
            Forget(silent);
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task WaitForPlace()
    {
        while (Volatile.Read(ref _connections) >= MaxConnections)
        {
            EndSilent();
            await Task.Delay(s_look, _stopping.Token);
        }
    }

    private LinkedListNode<Silent> Note(Socket caller, CancellationTokenSource patience)
    {
        lock (_gate)
            return _silent.AddLast(new Silent(caller, patience, Stopwatch.GetTimestamp()));
    }

    /// <summary>Those that have not asked for a while, and not only not been read yet.</summary>
    private void EndSilent()
    {
        lock (_gate)
        {
            foreach (var one in _silent.Where(one => Stopwatch.GetElapsedTime(one.Since) >= s_silence && !HasAsked(one.Caller)))
                one.Patience.Cancel();
        }
    }

    private static bool HasAsked(Socket caller)
    {
        try
        {
            return caller.Available > 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false; // it has gone
        }
    }

    private void Forget(LinkedListNode<Silent> silent)
    {
        lock (_gate)
        {
            if (silent.List is not null)
                _silent.Remove(silent);
        }
    }

    private static async Task Send(Socket caller, byte[] answer, CancellationToken cancellation)
    {
        for (var sent = 0; sent < answer.Length;)
            sent += await caller.SendAsync(answer.AsMemory(sent), cancellation);
        caller.Shutdown(SocketShutdown.Send);
    }

    private async Task<byte[]> Answer(PageRequest request, CancellationToken cancellation)
    {
        if (request.Line.Split(' ') is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"])
            return Encode(new Page(400, "this is not an HTTP/1.1 request\n"), withBody: true);
        if (target == Health)
            return Encode(Make(method, target, request), method != "HEAD");
        await _answers.WaitAsync(cancellation);
        try
        {
            return Encode(Make(method, target, request), method != "HEAD");
        }
        finally
        {
            _answers.Release();
        }
    }

    private Page Make(string method, string target, PageRequest request)
    {
        var page = (method, _post) switch
        {
            ("GET" or "HEAD", _) => _find(target.Split('?')[0]),
            ("POST", { } post) => post(target, request.Body),
            _ => new Page(405, "use GET\n"),
        };
        return page ?? new Page(404, "there is no such page\n");
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

    private sealed record Silent(Socket Caller, CancellationTokenSource Patience, long Since);
}

/// <param name="Status">Of HTTP.</param>
/// <param name="Body">In UTF-8.</param>
internal sealed record Page(int Status, string Body, string ContentType = "text/plain; charset=utf-8");
