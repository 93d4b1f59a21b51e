using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>
/// The question about one reference, put to all its registries at once. Decided when the highest registry that has the image
/// is known: every one above it has said no. Answers of lower registries that are still on their way arrive later and are
/// there for the next decision from this round; each is bounded by the probe timeout.
/// </summary>
internal sealed class ProbeRound
{
    /// <summary>Nobody was to be asked.</summary>
    public static readonly ProbeRound Empty = new([]);

    private readonly Task<Answer>?[] _answers;

    private ProbeRound(Task<Answer>?[] answers) => _answers = answers;

    /// <param name="count">How many registries there are, highest first.</param>
    /// <param name="ask">Asks one of them.</param>
    /// <param name="earlier">A round about the same reference: what is still valid in it is not asked again.</param>
    /// <param name="isValid">Whether an answer is still believed.</param>
    public static ProbeRound Start(int count, Func<int, Task<Answer>> ask, ProbeRound? earlier, Func<Answer, bool> isValid)
    {
        var answers = new Task<Answer>?[count];
        var decided = false; // below a valid "found" nothing matters now; what is known of it is kept as it is
        for (var i = 0; i < count; i++)
        {
            var known = earlier?._answers[i];
            var isUsable = known is { IsCompletedSuccessfully: true } && isValid(known.Result);
            answers[i] = isUsable || decided ? known : ask(i);
            decided |= isUsable && known!.Result.Value is ProbeResult.Found;
        }
        return new ProbeRound(answers);
    }

    /// <summary>Waits for the answers that decide, and for no other.</summary>
    public async Task Decide()
    {
        foreach (var answer in _answers)
        {
            if (answer is not null && (await answer).Value is ProbeResult.Found)
                return;
        }
    }

    /// <summary>Whether the answers that decide are all still believed, so that nobody needs to be asked.</summary>
    public bool IsValid(Func<Answer, bool> isValid)
    {
        foreach (var answer in _answers)
        {
            if (answer is not { IsCompletedSuccessfully: true } || !isValid(answer.Result))
                return false;
            if (answer.Result.Value is ProbeResult.Found)
                return true;
        }
        return true;
    }

    /// <summary>What registry <paramref name="index"/> said; null if it has not answered yet.</summary>
    public ProbeResult? FindResult(int index) => _answers[index] is { IsCompletedSuccessfully: true } answer ? answer.Result.Value : null;

    /// <param name="Value">What the registry said.</param>
    /// <param name="At">When, by the time provider's monotonic clock: a node's wall clock jumps.</param>
    public readonly record struct Answer(ProbeResult Value, long At);
}
