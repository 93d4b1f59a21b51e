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
    private readonly LruCache<string, (T Answer, long At, TimeSpan Life)> _known = new(MaxAnswers);
    private readonly Lock _gate = new();

    public bool TryFind(string key, [MaybeNullWhen(false)] out T answer)
    {
        lock (_gate)
        {
            var isKnown = _known.TryGet(key, out var known) && time.GetElapsedTime(known.At) < known.Life;
            answer = known.Answer;
            return isKnown;
        }
    }

    public void Keep(string key, T answer, TimeSpan life)
    {
        lock (_gate)
            _known.Set(key, (answer, time.GetTimestamp(), life));
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
            Ended(key);
        }
    }

    private void Ended(string key)
    {
        lock (_gate)
            _running.Remove(key);
    }
}
