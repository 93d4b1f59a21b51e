using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// Where Prometheus and probes find us (<c>metrics</c>). A port that is taken is never fatal: it is tried again every second, for it may be our
/// predecessor's, which is about to go.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    private const int Backlog = 64;
    private const int TriesUntilTold = 3;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Func<string, Page?> _find;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private IPEndPoint? _wanted;
    private PageServer? _server;
    private int _tries;
    private bool _isOver;

    internal MetricsEndpoint(Func<string, Page?> find, TimeProvider time, ILogger log)
    {
        (_find, _log) = (find, log);
        _timer = time.CreateTimer(_ => Try(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From now on it is there, and nowhere else. Returns at once.</summary>
    /// <param name="address">Null: nowhere.</param>
    internal void Listen(IPEndPoint? address)
    {
        lock (_gate)
        {
            if (_isOver || Equals(address, _wanted))
                return;
            _server?.Dispose();
            (_wanted, _server, _tries) = (address, null, 0);
            if (address is not null)
                _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _isOver = true;
            _server?.Dispose();
        }
    }

    private void Try()
    {
        lock (_gate)
        {
            if (_isOver || _wanted is not { } address || _server is not null)
                return;
            if (TryListen(address, out var problem) is { } listener)
            {
                _server = new PageServer(listener, _find);
                Log.MetricsServed(_log, $"http://{address}/metrics");
                return;
            }

            if (++_tries == TriesUntilTold)
                Log.MetricsNotServed(_log, $"{address}", problem);
            _timer.Change(s_interval, Timeout.InfiniteTimeSpan);
        }
    }

    private static Socket? TryListen(IPEndPoint address, out string problem)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(address);
            listener.Listen(Backlog);
            problem = "";
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            problem = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another process listens there",
                SocketError.AddressNotAvailable => "this machine does not have that address",
                SocketError.AccessDenied => "this process may not listen on that port",
                var code => $"{code}",
            };
            return null;
        }
    }
}
