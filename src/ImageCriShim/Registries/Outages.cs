using ImageCriShim.Concurrency;
using ImageCriShim.Images;
using ImageCriShim.Metrics;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Registries;

/// <summary>
/// The registries that are set aside, and asking all the others. A registry that could not be reached is not waited for: whoever wants
/// something of it is told so at once, while one probe at a time finds out in the background when it is back. Any real
/// answer brings it back, whoever asked. One object for the process: what it knows outlives a reload of the settings.
/// </summary>
/// <param name="client">Who asks.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The log.</param>
/// <param name="metrics">Counts questions and answers; null where nobody looks.</param>
internal sealed class Outages(RegistryClient client, TimeProvider time, ILogger log, ShimMetrics? metrics = null) : IDisposable
{
    /// <summary>After the first failure; doubles with each further one.</summary>
    public static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_connectPatience = TimeSpan.FromMilliseconds(250); // a pull waits for it, and may have waited before

    // Of a last chance, once the registry could be connected to: a hung one accepts connections too, and must not cost every
    // pull of an image that is nowhere a whole probe timeout.
    private static readonly TimeSpan s_lastPatience = TimeSpan.FromSeconds(1);

    private static readonly ProbeResult s_noTurn = new ProbeResult.Unreachable(
        $"it was not asked: {ProbeLines.MaxPerRegistry} questions at a time are put to a registry, {ProbeLines.MaxAtOnce} to all, and this one's turn did not come")
    {
        IsOurs = true,
    };

    private readonly ProbeLines _lines = new(time);
    private readonly Dictionary<RegistryIdentity, Outage> _outages = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Opinions _opinions = new(client, time);
    private readonly SignsOfLife _signs = new(time);
    private HashSet<RegistryIdentity>? _configured; // null: whoever is asked

    /// <summary>Who is set aside now, longest first.</summary>
    public IReadOnlyList<SetAsideRegistry> All
    {
        get
        {
            lock (_gate)
                return [.. _outages.Values.OrderBy(outage => outage.At).Select(outage => outage.View)];
        }
    }

    /// <summary>As <see cref="RegistryClient.Probe"/>, but of a registry that is set aside the answer comes at once, and is unreachable.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was; that says nothing about the registry.</exception>
    public async Task<ProbeResult> Probe(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation) =>
        Find(registry, image)
        ?? await _lines.InTurn(
            RegistryIdentity.Of(registry), ProbeLines.LongestWait,
            async () =>
            {
                await _opinions.WaitFor(registry, cancellation); // of a registry that hangs the first find out, and tell the others
                return Find(registry, image) ?? await Ask(registry, image, patience, cancellation);
            },
            cancellation)
        ?? s_noTurn;

    /// <summary>
    /// Before a pull is given up: one short connect, and a probe where it succeeds, so that the first pull after the registry's return does.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<ProbeResult> ProbeAgain(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        if (Find(registry, image) is { } aside && !await client.CanConnect(registry.Address, s_connectPatience, cancellation))
            return aside with { Elapsed = time.GetElapsedTime(started) };
        patience = patience < s_lastPatience ? patience : s_lastPatience;
        return await _lines.InTurn(
            RegistryIdentity.Of(registry), patience, () => Ask(registry, image, patience, cancellation), cancellation) ?? s_noTurn;
    }

    /// <summary>
    /// Whether a registry is there: it has answered since then, or does now. It is set aside like any other where it does not answer, and
    /// not for one image alone. All who want to know it of one registry at the same time share one question.
    /// </summary>
    /// <param name="registry">Which may have failed since it answered last.</param>
    /// <param name="image">What it is asked for.</param>
    /// <param name="patience">How long to wait for its answer.</param>
    /// <param name="since">A timestamp.</param>
    /// <exception cref="OperationCanceledException">The process ends.</exception>
    public async Task<bool> IsThere(Registry registry, Reference image, TimeSpan patience, long since)
    {
        if (FindOutage(registry) is null)
            await _signs.Await(registry, since, () => Probe(registry, image, patience, _stopping.Token), _stopping.Token);
        return await IsWell(registry, _stopping.Token);
    }

    /// <summary>What counts in place of the answer of a registry that is set aside; null where it is not.</summary>
    public ProbeResult.Unreachable? FindOutage(Registry registry)
    {
        lock (_gate)
            return _outages.Count > 0 && _outages.TryGetValue(RegistryIdentity.Of(registry), out var outage) ? outage.Result : null;
    }

    /// <summary>
    /// Whether a registry that has been late for an image (<see cref="ProbeResult.Unreachable.IsLate"/>) is well all the same: it answers for others.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<bool> IsWell(Registry registry, CancellationToken cancellation)
    {
        await _opinions.WaitFor(registry, cancellation);
        return FindOutage(registry) is null;
    }

    /// <summary>After a reload: these are known as before, and asked as it now says; nobody looks for the others any more.</summary>
    public void Keep(IReadOnlyCollection<Registry> registries)
    {
        var configured = registries.DistinctBy(RegistryIdentity.Of).ToDictionary(RegistryIdentity.Of);
        lock (_gate)
        {
            _configured = [.. configured.Keys];
            foreach (var (identity, outage) in _outages.ToList())
            {
                if (configured.TryGetValue(identity, out var registry))
                    outage.Question = outage.Question with { Registry = registry };
                else
                    Remove(identity, outage);
            }
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _opinions.Dispose();
        lock (_gate)
        {
            foreach (var (identity, outage) in _outages.ToList())
                Remove(identity, outage);
        }
    }

    private async Task<ProbeResult> Ask(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        var question = new ProbeQuestion(registry, image, patience);
        var asked = Put(registry, image, patience, cancellation);
        var early = FindOutage(registry) is null ? await _opinions.AskEarly(question, asked) : null;
        var result = await asked;
        if (result is ProbeResult.Found)
            _opinions.NoteGiven(registry, image);
        if (result is not ProbeResult.Unreachable failure)
            BringBack(registry, result);
        else if (!failure.IsOurs && !cancellation.IsCancellationRequested) // what looks like a failure may be how the end of a request looks
            await Doubt(question, failure, early);
        return result;
    }

    private async Task Doubt(ProbeQuestion question, ProbeResult.Unreachable failure, Task<bool>? early)
    {
        if (failure.IsOfConnection)
        {
            SetAside(question, failure.Reason);
            return;
        }

        var doubting = SetAsideIfIll(question, failure.Reason, early);
        if (failure.Elapsed < question.Patience) // whoever has waited so long waits for nothing more
            await doubting;
    }

    /// <summary>One at a time of each registry.</summary>
    private Task SetAsideIfIll(ProbeQuestion question, string reason, Task<bool>? early)
    {
        lock (_gate)
        {
            return _outages.ContainsKey(RegistryIdentity.Of(question.Registry))
                ? Task.CompletedTask
                : _opinions.Doubt(question.Registry, () => HearOpinion(question, reason, early));
        }
    }

    private async Task HearOpinion(ProbeQuestion question, string reason, Task<bool>? early)
    {
        try
        {
            if (!await (early ?? _opinions.Ask(question)))
                SetAside(question, reason);
            else
                Log.ImageBroken(log, $"{question.Registry.Address}", $"{question.Image}", reason);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    private async Task<ProbeResult> Put(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation)
    {
        var result = await client.Probe(registry, image, patience, cancellation);
        var (name, kind) = ($"{registry.Address}", result.Kind);
        metrics?.Probes.Add(name, kind);
        metrics?.ProbeTime.Add(result.Elapsed, name);
        if (result is not ProbeResult.Unreachable)
            _signs.Note(registry);
        return result;
    }

    private ProbeResult.Unreachable? Find(Registry registry, Reference image)
    {
        lock (_gate)
        {
            if (!_outages.TryGetValue(RegistryIdentity.Of(registry), out var outage))
                return null;
            // What is wanted now is what the background asks for: a registry may fail for one image and serve all others.
            outage.Question = outage.Question with { Registry = registry, Image = image };
            return outage.Result;
        }
    }

    private void SetAside(ProbeQuestion question, string reason)
    {
        lock (_gate)
        {
            var identity = RegistryIdentity.Of(question.Registry);
            if (_stopping.IsCancellationRequested || _outages.ContainsKey(identity) || _configured?.Contains(identity) is false)
                return;
            var outage = new Outage(question, reason, time);
            _outages.Add(identity, outage);
            outage.Timer = Background.CreateTimer("the question to a registry that is set aside", time, () => _ = AskInBackground(outage), FirstInterval, Timeout.InfiniteTimeSpan);
        }
        Log.SetAside(log, $"{question.Registry.Address}", reason);
    }

    private void Remove(RegistryIdentity identity, Outage outage)
    {
        outage.Timer?.Dispose();
        _outages.Remove(identity);
    }

    private void BringBack(Registry registry, ProbeResult answer)
    {
        Outage? outage;
        lock (_gate)
        {
            if (!_outages.Remove(RegistryIdentity.Of(registry), out outage))
                return;
            outage.Timer?.Dispose();
        }
        Log.Back(log, $"{registry.Address}", (long)time.GetElapsedTime(outage.At).TotalSeconds, $"{answer}");
    }

    /// <summary>The question that failed, or the one put in vain since: it covers tokens, TLS and the registry's own back end.</summary>
    private async Task AskInBackground(Outage outage)
    {
        var reason = outage.Reason;
        try
        {
            var (registry, image, patience) = outage.Question;
            var result = await Put(registry, image, patience, _stopping.Token);
            if (result is ProbeResult.Unreachable failure)
                reason = failure.Reason;
            else
                BringBack(registry, result);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process ends.
        }
        finally
        {
            TryLater(outage, reason);
        }
    }

    /// <summary>Without effect if the registry is back.</summary>
    private void TryLater(Outage outage, string reason)
    {
        lock (_gate)
            outage.TryLater(reason);
    }
}
