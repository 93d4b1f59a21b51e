using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// What the attempts of one pull say about the registries: in the metrics, in the log, and for the order of the next pulls.
/// </summary>
/// <param name="image">As the caller names it.</param>
/// <param name="podNamespace">Of the pod that it is for; empty where the caller names none.</param>
/// <param name="isDeadlineOurs">
/// Whether the settings' <c>timeout</c> bounds the pull; a deadline of the caller says nothing about a registry.
/// </param>
internal sealed class RegistryNotes(CallEnvironment environment, string image, string podNamespace, bool isDeadlineOurs)
{
    /// <summary>
    /// A runtime knows the deadline, too, and may give up before our own timer: with DEADLINE_EXCEEDED, or as containerd 2.1 with CANCELLED
    /// and the words of a pull that made no progress.
    /// </summary>
    private static readonly TimeSpan s_early = TimeSpan.FromSeconds(1);

    /// <summary>Whether its registry is to be tried after others.</summary>
    internal bool IsStalled(Candidate candidate) => environment.Stalled.Contains(candidate, podNamespace);

    /// <param name="waited">How long this attempt took.</param>
    /// <param name="elapsed">Since the caller asked.</param>
    internal void Pulled(Candidate candidate, TimeSpan waited, TimeSpan elapsed)
    {
        Count(candidate, "pulled");
        environment.Metrics.PullTime.Add(waited, RegistryOf(candidate));
        environment.Stalled.Remove(candidate, podNamespace);
        Log.Pulled(environment.Log, image, candidate.Image, candidate.Where, (long)elapsed.TotalMilliseconds);
    }

    /// <param name="remaining">Until the deadline.</param>
    internal void Failed(Candidate candidate, GrpcStatus status, TimeSpan waited, TimeSpan remaining)
    {
        Log.PullFailed(environment.Log, image, candidate.Image, status.Code, status.Message);
        if (remaining < s_early)
        {
            Late(candidate, waited);
            return;
        }

        Count(candidate, "failed");
        if (environment.Stalled.Add(candidate, podNamespace, status, waited))
            Log.Stalled(environment.Log, candidate.Where, image, (long)waited.TotalSeconds, (long)StalledRegistries.Rest.TotalMinutes);
    }

    /// <summary>The attempt was ended because the registry is set aside.</summary>
    internal void Left(Candidate candidate)
    {
        Count(candidate, "failed");
        Log.Left(environment.Log, image, candidate.Image, $"{candidate.Registry?.Address}");
    }

    /// <summary>The deadline was over before it was done.</summary>
    internal void Late(Candidate candidate, TimeSpan waited)
    {
        Count(candidate, "late");
        if (isDeadlineOurs && environment.Stalled.AddLate(candidate, podNamespace, waited, environment.Settings.Timeout))
            Log.Late(environment.Log, candidate.Where, image, (long)waited.TotalSeconds, (long)StalledRegistries.Rest.TotalMinutes);
    }

    private void Count(Candidate candidate, string result) => environment.Metrics.Pulls.Add(RegistryOf(candidate), result);

    /// <summary>For a label: names of images that nobody configured have no end.</summary>
    private static string RegistryOf(Candidate candidate) => candidate.Registry is { } registry ? $"{registry.Address}" : "as given";
}
