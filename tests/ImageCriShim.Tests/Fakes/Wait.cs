using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ImageCriShim.Tests.Fakes;

/// <summary>Waiting for what tells nobody when it happens.</summary>
internal static class Wait
{
    /// <param name="condition">Looked at again and again.</param>
    /// <param name="what">It is, for whoever reads that it did not happen; by default its own text.</param>
    internal static Task Until(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Until(() => Task.FromResult(condition()), what);

    /// <inheritdoc cref="Until(Func{bool}, string)"/>
    internal static async Task Until(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        for (var waited = Stopwatch.StartNew(); !await condition();)
        {
            if (waited.Elapsed > RawConnection.Patience)
                throw new TimeoutException($"not within {RawConnection.Patience.TotalSeconds} s: {what}");
            await Task.Delay(1); // between two looks: nobody tells
        }
    }

    internal static Task For(Task task) => task.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken);

    /// <summary>Holds the thread until what a program has written holds this.</summary>
    internal static void ForText(string text, Func<string> output) =>
        SpinWait.SpinUntil(() => output().Contains(text), RawConnection.Patience).ShouldBeTrue($"{text}\nis not in:\n{output()}");

    /// <summary>For what must not happen: far longer than it would take.</summary>
    internal static Task AWhile() => Task.Delay(100, TestContext.Current.CancellationToken);
}
