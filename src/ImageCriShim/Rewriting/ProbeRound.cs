using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>
/// The question about one reference, put to all its registries at once. Decided when the highest registry that has the image
/// is known: every one above it has said no. What nobody needs then is ended a moment later; what has arrived by then is kept for
/// the next decision from this round.
/// </summary>
internal sealed class ProbeRound
{
    /// <summary>Nobody was to be asked.</summary>
    public static readonly ProbeRound Empty = new([]);

    /// <summary>
    /// How long answers that are not needed may still arrive. Ending a request costs its connection, which the next name may need
    /// warm, and registries that are well answer within this of each other.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(250);

    private readonly Task<Answer>?[] _answers;

    private ProbeRound(Task<Answer>?[] answers) => _answers = answers;

    /// <param name="count">How many registries there are, highest first.</param>
    /// <param name="ask">Asks one of them; its token ends the question.</param>
    /// <param name="earlier">A round about the same reference: what is still valid in it is not asked again.</param>
    /// <param name="isValid">Whether the answer of a registry, by its place in the order, is still believed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="abandoned">Nobody wants the decision any more.</param>
    /// <returns>When it is decided.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="abandoned"/> was.</exception>
    public static async Task<ProbeRound> Run(
        int count, Func<int, CancellationToken, Task<Answer>> ask, ProbeRound? earlier, Func<int, Answer, bool> isValid, TimeProvider time,
        CancellationToken abandoned)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(abandoned);
        var round = new ProbeRound(new Task<Answer>?[count]);
        try
        {
            round.Start(i => ask(i, stop.Token), earlier, isValid);
            await round.Decide();
            return round;
        }
        finally
        {
            _ = round.End(stop, time);
        }
    }

    /// <summary>Whether the answers that decide are all still believed, so that nobody needs to be asked.</summary>
    public bool IsValid(Func<int, Answer, bool> isValid) =>
        Deciding().Index().All(answer => answer.Item is { } known && isValid(answer.Index, known));

    /// <summary>Whether an answer that decides was given before that time (a timestamp, as <see cref="Answer.At"/>).</summary>
    public bool HasAnswerBefore(long timestamp) => Deciding().Any(answer => answer is { } known && known.At < timestamp);

    /// <summary>Whether a registry has the image.</summary>
    public bool IsFound => Deciding().Any(answer => answer is { Value: ProbeResult.Found });

    /// <summary>What registry <paramref name="index"/> said; null if it has not answered yet, or no longer had to.</summary>
    public ProbeResult? FindResult(int index) => Find(_answers[index])?.Value;

    /// <summary>
    /// The round as it is remembered: a registry that could not be reached has said nothing about the image, so what it said in an earlier
    /// round is kept for when it is back.
    /// </summary>
    /// <param name="earlier">About the same reference.</param>
    /// <param name="isKept">Whether an answer of that round may count again.</param>
    public ProbeRound Keeping(ProbeRound? earlier, Func<Answer, bool> isKept)
    {
        return earlier is null ? this : new([.. _answers.Zip(earlier._answers, Choose)]);

        Task<Answer>? Choose(Task<Answer>? now, Task<Answer>? before) =>
            Find(now) is { Value: ProbeResult.Unreachable } && Find(before) is { Value: ProbeResult.Found } found && isKept(found) ? before : now;
    }

    private void Start(Func<int, Task<Answer>> ask, ProbeRound? earlier, Func<int, Answer, bool> isValid)
    {
        var decided = false; // below a valid "found" nothing matters now; what is known of it is kept as it is
        for (var i = 0; i < _answers.Length; i++)
        {
            var known = earlier?._answers[i];
            var usable = Find(known) is { } answer && isValid(i, answer) ? answer : (Answer?)null;
            _answers[i] = usable is not null || decided ? known : ask(i);
            decided |= usable is { Value: ProbeResult.Found };
        }
    }

    /// <summary>Waits for the answers that decide, and for no other.</summary>
    private async Task Decide()
    {
        foreach (var answer in _answers)
        {
            if (answer is not null && (await answer).Value is ProbeResult.Found)
                return;
        }
    }

    /// <summary>A question that fails in a way of its own here is nobody's: who needs its answer asks again.</summary>
    private async Task End(CancellationTokenSource stop, TimeProvider time)
    {
        using (stop)
        {
            var all = Task.WhenAll(_answers.OfType<Task<Answer>>());
            if (!all.IsCompleted)
                await Task.WhenAny(all, Task.Delay(Grace, time));
            await stop.CancelAsync();
            await Task.WhenAny(all);
        }
    }

    /// <summary>From the top down to the first that has the image; null for what is not known.</summary>
    private IEnumerable<Answer?> Deciding()
    {
        foreach (var task in _answers)
        {
            var answer = Find(task);
            yield return answer;
            if (answer is { Value: ProbeResult.Found })
                yield break;
        }
    }

    private static Answer? Find(Task<Answer>? task) => task is { IsCompletedSuccessfully: true } ? task.Result : null;

    /// <param name="Value">What the registry said.</param>
    /// <param name="At">When, by the time provider's monotonic clock: a node's wall clock jumps.</param>
    public readonly record struct Answer(ProbeResult Value, long At);
}
