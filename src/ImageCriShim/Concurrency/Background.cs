using System.Runtime.InteropServices;

namespace ImageCriShim.Concurrency;

/// <summary>
/// Starts what nobody waits for: timers, threads, handlers of signals, work for the pool. .NET ends the process when such work throws. Here an
/// exception is reported as the defect that it is, and costs that one run of the work.
/// </summary>
internal static class Background
{
    private static readonly TimeSpan s_rest = TimeSpan.FromMilliseconds(100); // before work that never ends is begun anew

    private static Action<string, Exception>? s_report;

    /// <summary>Is told what failed, and how. Exceptions of its own are lost.</summary>
    internal static void ReportTo(Action<string, Exception> report) => s_report = report;

    /// <param name="what">What failed, for people: "the look at the settings".</param>
    /// <param name="time">The clock.</param>
    /// <param name="tick">Is run when the timer is due. A timer that it is to set again, it sets in a finally block.</param>
    /// <param name="due">When the first time.</param>
    /// <param name="period">And between two times.</param>
    internal static ITimer CreateTimer(string what, TimeProvider time, Action tick, TimeSpan due, TimeSpan period) =>
        time.CreateTimer(_ => Run(what, tick), null, due, period);

    /// <summary>A timer that is not set yet.</summary>
    internal static ITimer CreateTimer(string what, TimeProvider time, Action tick) =>
        CreateTimer(what, time, tick, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Starts a thread that does not keep the process.</summary>
    /// <param name="name">Of the thread.</param>
    /// <param name="stack">Its size in octets.</param>
    /// <param name="work">Is begun anew after an exception: the process depends on it. It has ended when it returns.</param>
    /// <exception cref="OutOfMemoryException">There is no room for another thread.</exception>
    /// <exception cref="ThreadStartException">The same.</exception>
    internal static Thread StartThread(string name, int stack, Action work)
    {
        void Repeat()
        {
            while (!Run($"the thread '{name}'", work))
                Thread.Sleep(s_rest); // what fails again and again must not take a processor
        }

        var thread = new Thread(Repeat, stack) { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    /// <summary>Handles a signal, which does not end the process then.</summary>
    internal static PosixSignalRegistration OnSignal(PosixSignal signal, Action<PosixSignal> handle) =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                context.Cancel = true;
                Run($"the handler of {context.Signal}", () => handle(context.Signal));
            });

    /// <summary>Has a thread of the pool do it.</summary>
    internal static void Queue<T>(string what, T state, Action<T> work) =>
        ThreadPool.UnsafeQueueUserWorkItem(static item => Run(item.what, item.state, item.work), (what, state, work), preferLocal: false);

    /// <returns>False: it threw.</returns>
    internal static bool Run(string what, Action work) => Run(what, work, static work => work());

    private static bool Run<T>(string what, T state, Action<T> work)
    {
        try
        {
            work(state);
            return true;
        }
        catch (Exception e)
        {
            Report(what, e);
            return false;
        }
    }

    private static void Report(string what, Exception exception)
    {
        try
        {
            s_report?.Invoke(what, exception);
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }
}
