using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Answers of programs that cost a process each. A program runs once for all who want the same at the same time, and to its end although
/// they go away: its answer is there for the next.
/// </summary>
internal sealed class HelperAnswers<T>(TimeProvider time)
{
    private const int MaxAnswers = 1024; // a plugin may answer for each image on its own

    private readonly Dictionary<string, Task<T>> _running = [];
    private readonly Dictionary<string, (T Answer, long At, TimeSpan Life)> _known = [];
    private readonly Lock _gate = new();

    public bool TryFind(string key, [MaybeNullWhen(false)] out T answer)
    {
        lock (_gate)
        {
            var isKnown = _known.TryGetValue(key, out var known) && !IsOver(known.At, known.Life);
            answer = known.Answer;
            return isKnown;
        }
    }

    public void Keep(string key, T answer, TimeSpan life)
    {
        lock (_gate)
        {
            if (_known.Count >= MaxAnswers)
                Forget(_known.Where(entry => IsOver(entry.Value.At, entry.Value.Life)));
            if (_known.Count >= MaxAnswers)
                _known.Clear(); // asked again, each when it is wanted
            _known[key] = (answer, time.GetTimestamp(), life);
        }
    }

    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was; the program runs on.</exception>
    public Task<T> Join(string key, Func<Task<T>> run, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (!_running.TryGetValue(key, out var running))
                _running.Add(key, running = Run(key, run));
            return running.WaitAsync(cancellation);
        }
    }

    private async Task<T> Run(string key, Func<Task<T>> run)
    {
        await Task.Yield(); // out of the lock
        try
        {
            return await run();
        }
        finally
        {
            lock (_gate)
                _running.Remove(key);
        }
    }

    private void Forget(IEnumerable<KeyValuePair<string, (T Answer, long At, TimeSpan Life)>> entries)
    {
        foreach (var (key, _) in entries.ToList())
            _known.Remove(key);
    }

    private bool IsOver(long at, TimeSpan life) => time.GetElapsedTime(at) >= life;
}
