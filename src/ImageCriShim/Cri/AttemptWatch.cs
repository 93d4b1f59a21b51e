using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Ends an attempt of the runtime that waits for a registry which is down. The attempt begins at once, by what the registry said some time
/// ago; where it has not ended after a moment, the registry is asked whether it is still there, once for all pulls that wait for it. Only a
/// registry that is set aside by then is left: it has answered neither this question nor one for another image. What happens to it later
/// ends no attempt, because data may flow. One object for each pull.
/// </summary>
internal sealed class AttemptWatch(CallEnvironment environment)
{
    /// <summary>A pull of an image that is on the node has ended by then, and asks nobody.</summary>
    internal static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(250);

    private readonly HashSet<RegistryIdentity> _left = []; // each once, so that no pull goes to and fro

    /// <param name="candidate">What is pulled.</param>
    /// <param name="pull">Begins the attempt; its token ends it.</param>
    /// <param name="cancellation">The caller has gone.</param>
    /// <returns>Null: the attempt was ended because its registry is set aside.</returns>
    internal async Task<PullAttempt?> Run(
        Candidate candidate, Func<CancellationToken, Task<PullAttempt>> pull, CancellationToken cancellation)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pulling = pull(leave.Token);
        if (!await IsToBeLeft(candidate, pulling))
            return await pulling;
        await leave.CancelAsync();
        try
        {
            return await pulling; // it may have ended at the same time
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>False as soon as the attempt has ended.</summary>
    private async Task<bool> IsToBeLeft(Candidate candidate, Task pulling)
    {
        if (pulling.IsCompleted || candidate is not { Registry: { } registry, Name: not null })
            return false;
        var identity = RegistryIdentity.Of(registry);
        if (_left.Contains(identity))
            return false;
        using var ended = new CancellationTokenSource();
        var gone = IsGone(candidate, ended.Token);
        await Task.WhenAny(pulling, gone);
        await ended.CancelAsync();
        return !pulling.IsCompleted && gone is { IsCompletedSuccessfully: true, Result: true } && _left.Add(identity);
    }

    private async Task<bool> IsGone(Candidate candidate, CancellationToken ended)
    {
        var begin = environment.Time.GetTimestamp();
        await Task.Delay(Moment, environment.Time, ended);
        return !await environment.Resolver.IsThere(candidate, begin);
    }
}
