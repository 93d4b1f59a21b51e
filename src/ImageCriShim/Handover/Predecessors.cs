namespace ImageCriShim.Handover;

/// <summary>The processes that have handed over and still serve what they had, as they report it every second. Thread-safe.</summary>
internal sealed class Predecessors(TimeProvider time)
{
    /// <summary>A process that has not reported for so long is gone, or stopped.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int Max = 256; // handovers within an hour; a process beyond them is not shown

    private readonly Dictionary<int, (PredecessorReport Report, long At)> _reports = [];
    private readonly Lock _gate = new();

    /// <summary>Those that are there, in the order of their process ids.</summary>
    public IReadOnlyList<PredecessorReport> All
    {
        get
        {
            lock (_gate)
            {
                foreach (var gone in _reports.Where(one => time.GetElapsedTime(one.Value.At) > Patience).Select(one => one.Key).ToList())
                    _reports.Remove(gone);
                return [.. _reports.Values.Select(one => one.Report).OrderBy(report => report.Id)];
            }
        }
    }

    public void Add(PredecessorReport report)
    {
        lock (_gate)
        {
            if (report.HasEnded)
                _reports.Remove(report.Id);
            else if (_reports.Count < Max || _reports.ContainsKey(report.Id))
                _reports[report.Id] = (report, time.GetTimestamp());
        }
    }
}
