using System.Collections.Concurrent;
using System.Text;

namespace ImageCriShim.Tests.Faults;

/// <summary>What happened, fault by fault, for people: to the file of IMAGE_CRI_SHIM_REPORT, which ./build test shows at the end.</summary>
internal sealed class FaultTable
{
    private static readonly CompositeFormat s_form = CompositeFormat.Parse("{0,-52} {1,7} {2,6} {3,9} {4,9} {5,10}   {6,6} {7,9} {8,10}   {9,5}  {10}");

    private readonly ConcurrentQueue<string> _rows = new();

    public void Add(string fault, Figures through, Figures? directly) => _rows.Enqueue(string.Format(
        null, s_form, fault, through.Since.Count, through.Failures.Count, Text(through.Longest), Text(through.LongestPull), Text(through.Recovered),
        directly is null ? "" : directly.Failures.Count, directly is null ? "" : Text(directly.Longest), directly is null ? "" : Text(directly.Recovered),
        $"{through.Slowdown:0.0}", Codes(through.Failures)));

    /// <summary>A row that has words of its own.</summary>
    public void Add(string fault, string what) => _rows.Enqueue($"{fault,-52} {what}");

    public void Print()
    {
        if (_rows.IsEmpty)
            return;
        var head = string.Format(null, s_form, "", "calls", "failed", "longest", "pull", "well after", "failed", "longest", "well after", "p99 x", "failed with");
        Report.Write([$"{"",-98}   directly on the runtime", head, .. _rows]);
    }

    private static string Text(TimeSpan time) => time.TotalSeconds >= 1 ? $"{time.TotalSeconds:0.0} s" : $"{time.TotalMilliseconds:0} ms";

    private static string Codes(IEnumerable<CallSeen> failures) => string.Join(", ", failures
        .GroupBy(call => (Who: call.Caller is Workload.Crictl or Workload.Pulls ? call.Caller : "kubelet", call.Status))
        .OrderByDescending(calls => calls.Count())
        .Select(calls => $"{calls.Key.Who} {calls.Key.Status} {calls.Count()}"));
}
