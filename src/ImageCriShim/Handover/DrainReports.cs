using System.Text;
using System.Text.Json;
using ImageCriShim.Concurrency;
using ImageCriShim.Hosting;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Handover;

/// <summary>
/// Tells the process that serves now, whichever that is, how this one is draining, and what it ought to keep on the disk: every second, and at the end.
/// </summary>
internal sealed class DrainReports : IDisposable
{
    private const int Ok = 200;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly StatusClient _client;
    private readonly Func<bool, PredecessorReport> _report;
    private readonly NodeState? _state;
    private readonly ITimer _timer;
    private readonly Lock _sending = new();
    private volatile bool _isOver;

    /// <param name="shimSocket">Beside which the private socket lies.</param>
    /// <param name="report">Is told whether it is the last one.</param>
    /// <param name="state">What this process learns and writes no more itself; null where it edits no calls.</param>
    /// <param name="time">The clock.</param>
    public DrainReports(string shimSocket, Func<bool, PredecessorReport> report, NodeState? state, TimeProvider time)
    {
        (_client, _report, _state) = (new StatusClient(StatusSocket.PathFor(shimSocket), s_patience), report, state);
        _timer = Background.CreateTimer("the report of a process that drains", time, () => Send(isLast: false), TimeSpan.Zero, s_interval);
    }

    /// <summary>Asks which process serves now.</summary>
    /// <param name="isNone">Nobody listens there. One that does not answer may hang, or be stopped, and is there.</param>
    /// <returns>Its id; null where none answers, or only this one.</returns>
    public int? FindServing(out bool isNone)
    {
        isNone = false;
        try
        {
            using var status = _client.GetStatus(CancellationToken.None).GetAwaiter().GetResult();
            var process = status.RootElement.GetProperty("pid").GetInt32();
            isNone = process == Environment.ProcessId; // no successor could open the private socket
            return isNone ? null : process;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or KeyNotFoundException)
        {
            isNone = e is HttpRequestException { InnerException: System.Net.Sockets.SocketException or ArgumentException }; // its path is too long
            return null;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Send(isLast: true);
        _client.Dispose();
    }

    private void Send(bool isLast)
    {
        if (_isOver || !_sending.TryEnter(isLast ? s_patience : TimeSpan.Zero))
            return; // the one before is still on its way
        try
        {
            while (_state?.News is { IsEmpty: false } news && TryPost("/pulls", news.FormatPulls()) && TryPost("/missing", news.FormatMissing()))
                _state.Acknowledge(news);
            TryPost("/predecessors", Encoding.UTF8.GetBytes(JsonText.Format(_report(isLast).Write)));
        }
        finally
        {
            _isOver = isLast;
            _sending.Exit();
        }
    }

    /// <returns>False where no process serves at this moment, or one of an older version, which shows and keeps a little less.</returns>
    private bool TryPost(string path, ReadOnlyMemory<byte> body)
    {
        try
        {
            return body.IsEmpty || _client.Post(path, body, CancellationToken.None).GetAwaiter().GetResult().Status == Ok;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }
}
