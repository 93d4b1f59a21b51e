using System.Net;
using System.Net.Sockets;
using ImageCriShim.Concurrency;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// Where Prometheus and probes find us (<c>metrics</c>). A port that is taken is never fatal: it is tried again every second, for it may be our
/// predecessor's, which is about to go.
/// </summary>
internal sealed class MetricsEndpoint : IDisposable
{
    private const int Backlog = 1024;
    private const int TriesUntilTold = 3;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Func<string, Page?> _find;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private IPEndPoint? _wanted;
    private PageServer? _server;
    private Socket? _listener; // of the server
    private int _tries;
    private bool _isOver;

    internal MetricsEndpoint(Func<string, Page?> find, TimeProvider time, ILogger log)
    {
        (_find, _log) = (find, log);
        _timer = Background.CreateTimer("the start of the metrics", time, Try);
    }

    /// <summary>The socket that listens, for a successor; null where none does.</summary>
    internal InheritedMetrics? Current
    {
        get
        {
            lock (_gate)
                return _listener is null ? null : new(_wanted!, _listener);
        }
    }

    /// <summary>From now on it is there, and nowhere else. Returns at once.</summary>
    /// <param name="address">Null: nowhere.</param>
    /// <param name="inherited">A socket of the predecessor, which is used if it is at this address, and closed if it is not.</param>
    internal void Listen(IPEndPoint? address, InheritedMetrics? inherited = null)
    {
        lock (_gate)
        {
            var isInherited = address is not null && address.Equals(inherited?.Address);
            if (!isInherited)
                inherited?.Listener.Dispose();
            if (_isOver || Equals(address, _wanted))
                return;
            Close();
            (_wanted, _tries) = (address, 0);
            if (isInherited)
                Serve(inherited!.Listener, address!);
            else if (address is not null)
                _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Serves nowhere from now on, until it is told to <see cref="Listen"/>.</summary>
    /// <returns>Where it served, or tried to; null if nowhere.</returns>
    internal IPEndPoint? Cease()
    {
        lock (_gate)
        {
            Close();
            var address = _wanted;
            _wanted = null;
            return address;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _isOver = true;
            Close();
        }
    }

    private void Try()
    {
        lock (_gate)
        {
            if (_isOver || _wanted is not { } address || _server is not null)
                return;
            try
            {
                if (TryListen(address, out var problem) is { } listener)
                    Serve(listener, address);
                else if (++_tries == TriesUntilTold)
                    Log.MetricsNotServed(_log, $"{address}", problem);
            }
            finally
            {
                if (_server is null)
                    _timer.Change(s_interval, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Serve(Socket listener, IPEndPoint address)
    {
        (_listener, _server) = (listener, new PageServer(listener, _find));
        Log.MetricsServed(_log, $"http://{address}/metrics");
    }

    private void Close()
    {
        _server?.Dispose();
        (_server, _listener) = (null, null);
    }

    private static Socket? TryListen(IPEndPoint address, out string problem)
    {
        Socket? listener = null;
        try
        {
            listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(address);
            listener.Listen(Backlog);
            problem = "";
            return listener;
        }
        catch (SocketException e)
        {
            listener?.Dispose();
            problem = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => "another process listens there",
                SocketError.AddressFamilyNotSupported => "this machine does not have that kind of address (is IPv6 off?)",
                SocketError.AddressNotAvailable => "this machine does not have that address",
                SocketError.AccessDenied => "this process may not listen on that port",
                var code => $"{code}",
            };
            return null;
        }
    }
}

/// <summary>A socket on which another process of ours serves metrics, and this one may.</summary>
internal sealed record InheritedMetrics(IPEndPoint Address, Socket Listener);
