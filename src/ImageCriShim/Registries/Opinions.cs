using ImageCriShim.Images;

namespace ImageCriShim.Registries;

/// <summary>The second opinions on registries that are being asked for, one at a time of each registry (<see cref="SecondOpinion"/>).</summary>
/// <param name="client">Who asks.</param>
/// <param name="time">The clock.</param>
internal sealed class Opinions(RegistryClient client, TimeProvider time) : IDisposable
{
    private readonly SecondOpinion _second = new(client);
    private readonly SharedWork<RegistryIdentity, bool> _asked = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<RegistryIdentity, Task> _underWay = [];
    private readonly Lock _gate = new();

    /// <inheritdoc cref="SecondOpinion.NoteGiven"/>
    internal void NoteGiven(Registry registry, Reference image) => _second.NoteGiven(registry, image);

    /// <returns>Whether the registry is well.</returns>
    /// <exception cref="OperationCanceledException">The process ends.</exception>
    internal Task<bool> Ask(ProbeQuestion failed) => _asked.Join(
        RegistryIdentity.Of(failed.Registry),
        abandoned => _second.IsWell(failed.Registry, failed.Image, failed.Patience, abandoned),
        _stopping.Token);

    /// <summary>
    /// A registry that is late is doubted while its answer may still come, so that both are known when the time of the question is over,
    /// however short it is.
    /// </summary>
    /// <param name="question">That was put.</param>
    /// <param name="asked">Completes with its answer.</param>
    /// <returns>As <see cref="Ask"/>; null: it has answered in time.</returns>
    internal async Task<Task<bool>?> AskEarly(ProbeQuestion question, Task asked)
    {
        var left = TimeSpan.FromTicks(Math.Min(SecondOpinion.Patience.Ticks, question.Patience.Ticks / 2));
        using var answered = new CancellationTokenSource();
        await Task.WhenAny(asked, Task.Delay(question.Patience - left, time, answered.Token));
        await answered.CancelAsync();
        return asked.IsCompleted ? null : Ask(question with { Patience = left });
    }

    /// <summary>Does something about a registry that is doubted, unless that is being done.</summary>
    internal Task Doubt(Registry registry, Func<Task> ask)
    {
        var identity = RegistryIdentity.Of(registry);
        lock (_gate)
            return _underWay.TryGetValue(identity, out var asked) ? asked : _underWay[identity] = Ask(identity, ask);
    }

    /// <summary>Returns when the registry is not doubted, or no more.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    internal async Task WaitFor(Registry registry, CancellationToken cancellation)
    {
        Task? asked;
        lock (_gate)
            _underWay.TryGetValue(RegistryIdentity.Of(registry), out asked);
        if (asked is not null)
            await asked.WaitAsync(cancellation);
    }

    public void Dispose() => _stopping.Cancel();

    private async Task Ask(RegistryIdentity identity, Func<Task> ask)
    {
        await Task.Yield(); // it is to stand among the others first
        try
        {
            await ask();
        }
        finally
        {
            lock (_gate)
                _underWay.Remove(identity);
        }
    }
}

/// <summary>A question that was put to a registry.</summary>
/// <param name="Image">The image's name there.</param>
/// <param name="Patience">How long it was to wait for the answer.</param>
internal sealed record ProbeQuestion(Registry Registry, Reference Image, TimeSpan Patience);
