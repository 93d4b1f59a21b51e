using ImageCriShim.Concurrency;

namespace ImageCriShim.Hosting;

/// <summary>Says again what is wrong for as long as it is: one line in a day's log is overlooked.</summary>
internal sealed class Reminder : IDisposable
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ITimer _timer;

    /// <param name="say">Whatever there is to say, if anything.</param>
    internal Reminder(Action say, TimeProvider time) => _timer = Background.CreateTimer("the reminder", time, say, Interval, Interval);

    public void Dispose() => _timer.Dispose();
}
