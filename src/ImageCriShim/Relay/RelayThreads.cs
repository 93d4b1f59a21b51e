using ImageCriShim.Concurrency;

namespace ImageCriShim.Relay;

/// <summary>
/// Threads for work that blocks. One that is done waits a while for the next: crictl opens and ends connections all the time, and to
/// start a thread costs more than all else about a short connection.
/// </summary>
internal static class RelayThreads
{
    /// <summary>A pump needs a few KiB; the rest is for the handlers of edited calls under the gate.</summary>
    private const int StackBytes = 256 * 1024;

    private const int MaxIdle = 16; // eight connections that come and go at once

    private static readonly TimeSpan s_idleTime = TimeSpan.FromSeconds(10);
    private static readonly List<Worker> s_idle = [];
    private static readonly Lock s_gate = new();

    /// <returns>False where the machine has no room for another thread.</returns>
    internal static bool TryStart(Action work)
    {
        try
        {
            Start(work);
            return true;
        }
        catch (NoThreadException)
        {
            return false;
        }
    }

    /// <exception cref="NoThreadException"/>
    internal static void Start(Action work)
    {
        Worker? worker;
        lock (s_gate)
        {
            worker = s_idle.LastOrDefault();
            if (worker is not null)
                s_idle.RemoveAt(s_idle.Count - 1);
        }

        if (worker is not null)
            worker.Give(work);
        else
            StartNew(work);
    }

    private static void StartNew(Action work)
    {
        try
        {
            new Thread(new Worker(work).Run, StackBytes) { IsBackground = true, Name = "relay" }.Start();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            throw new NoThreadException();
        }
    }

    private sealed class Worker(Action first)
    {
        private readonly object _given = new();
        private Action? _work = first;

        internal void Run()
        {
            do
            {
                Background.Run("a relay thread", _work!);
                _work = null;
            }
            while (TryBecomeIdle() && WaitForWork());
        }

        internal void Give(Action work)
        {
            lock (_given)
            {
                _work = work;
                Monitor.Pulse(_given);
            }
        }

        private bool TryBecomeIdle()
        {
            lock (s_gate)
            {
                if (s_idle.Count == MaxIdle)
                    return false;
                s_idle.Add(this);
                return true;
            }
        }

        private bool WaitForWork()
        {
            lock (_given)
            {
                if (_work is null)
                    Monitor.Wait(_given, s_idleTime);
            }

            lock (s_gate)
            {
                if (s_idle.Remove(this))
                    return false; // nobody has taken this thread, and now nobody will
            }

            lock (_given)
            {
                while (_work is null) // taken just now
                    Monitor.Wait(_given);
            }

            return true;
        }
    }
}
