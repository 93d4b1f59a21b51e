using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// Connects to all addresses of a name, each a moment after the one before, and keeps the connection that is there first (RFC 8305, "Happy
/// Eyeballs"): an address that drops packets costs that moment and no more.
/// </summary>
internal static class HappyEyeballs
{
    internal const int MaxAddresses = 16; // names of large services have eight of each family

    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(100); // RFC 8305 section 5: recommended 250, and no less than this

    /// <summary>The wait between two attempts: short enough for the last address to have one as long within the patience.</summary>
    internal static TimeSpan DelayWithin(TimeSpan patience, int addresses)
    {
        var share = patience / (addresses + 1);
        return share < s_delay ? share : s_delay;
    }

    /// <summary>Orders addresses by family in turn, beginning with the one that the resolver prefers (RFC 8305 section 4).</summary>
    internal static IReadOnlyList<IPAddress> Order(IReadOnlyList<IPAddress> addresses)
    {
        var preferred = addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily).ToList();
        var others = addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily).ToList();
        var turns = Enumerable.Range(0, Math.Max(preferred.Count, others.Count));
        return [.. turns.SelectMany(turn => preferred.Skip(turn).Take(1).Concat(others.Skip(turn).Take(1))).Take(MaxAddresses)];
    }

    /// <param name="addresses">Of the name, as the resolver orders them.</param>
    /// <param name="port">At each of them.</param>
    /// <param name="patience">The time that all attempts have together; the caller ends them by <paramref name="cancellation"/>.</param>
    /// <param name="time">Measures the wait between two attempts.</param>
    /// <param name="cancellation">Ends all attempts.</param>
    /// <exception cref="SocketException">No address can be connected to; the error is that of the first one.</exception>
    public static async Task<Socket> Connect(
        IReadOnlyList<IPAddress> addresses, int port, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        if (addresses.Count == 0)
            throw new SocketException((int)SocketError.NoData);
        var left = new Queue<IPAddress>(Order(addresses));
        var delay = DelayWithin(patience, left.Count);
        var attempts = new List<Task<Socket>>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            return await Race(left, attempts, address => Connect(address, port, ending.Token), () => Task.Delay(delay, time, ending.Token));
        }
        finally
        {
            await ending.CancelAsync();
            attempts.ForEach(late => _ = Close(late));
        }
    }

    /// <summary>Begins the next attempt when the wait is over or an attempt has failed.</summary>
    private static async Task<Socket> Race(
        Queue<IPAddress> left, List<Task<Socket>> attempts, Func<IPAddress, Task<Socket>> connect, Func<Task> wait)
    {
        Exception? failure = null;
        while (left.Count > 0 || attempts.Count > 0)
        {
            if (left.TryDequeue(out var address))
                attempts.Add(connect(address));
            var ended = await Task.WhenAny(left.Count > 0 ? [.. attempts, wait()] : attempts);
            if (ended is not Task<Socket> attempt)
                continue;
            attempts.Remove(attempt);
            if (attempt.IsCompletedSuccessfully)
                return await attempt;
            failure ??= attempt.Exception?.InnerException ?? new OperationCanceledException();
            if (attempt.IsCanceled)
                break;
        }
        ExceptionDispatchInfo.Throw(failure!);
        throw failure!;
    }

    private static async Task<Socket> Connect(IPAddress address, int port, CancellationToken cancellation)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Closes a connection that came about too late.</summary>
    private static async Task Close(Task<Socket> late)
    {
        await ((Task)late).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (late.IsCompletedSuccessfully)
            (await late).Dispose();
    }
}
