using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>
/// From the image that a caller names to what to pull. Belongs to one <see cref="ShimSettings"/>: a reload
/// makes a new one, and calls in flight finish with the one they started with.
/// </summary>
/// <param name="settings">All that is decided here is decided by them.</param>
/// <param name="registries">Who is asked.</param>
/// <param name="time">The clock.</param>
/// <param name="known">What was answered under settings with the same registries.</param>
internal sealed class Resolver(ShimSettings settings, Outages registries, TimeProvider time, KnownAnswers? known = null)
{
    private static readonly TimeSpan s_shortOutage = TimeSpan.FromSeconds(1); // it was asked just now

    private readonly CandidateList _candidates = new(settings);
    private readonly ImagePolicy _policy = new(settings);
    private readonly Lifetimes _lifetimes = new(settings.Cache);
    private readonly SharedWork<string, Asked> _rounds = new();
    private readonly KnownAnswers _known = known ?? new(settings.Cache.ImageCacheSize);

    /// <summary>The one of settings that replace these.</summary>
    public Resolver With(ShimSettings next) =>
        new(next, registries, time, IsAskedAsUntilNow(next) ? _known : null);

    /// <summary>What the settings forbid.</summary>
    public ImagePolicy Policy => _policy;

    /// <summary>Images of which answers are remembered, believed or not.</summary>
    public int KnownImages => _known.Count;

    /// <summary>
    /// Every name that the image may have on this node, most wanted first, without asking anybody: where to look for what was pulled
    /// before. The name as given is the last, unless its host is itself configured or <c>offlineOnly</c> is on. A forbidden image has none:
    /// what lies at its path in a registry may be another's.
    /// </summary>
    public IReadOnlyList<Candidate> Candidates(string image)
    {
        if (_policy.FindRefusal(image) is not null)
            return [];
        return Reference.TryParse(image, out var reference) && FindExclusion(reference) is null
            ? WithAsGiven(FindAllowed(image, reference, out _), image, reference)
            : [_candidates.AsGiven(image, reference)];
    }

    /// <inheritdoc cref="CandidateList.FindOrigin"/>
    public Reference? FindOrigin(Reference actual) => _candidates.FindOrigin(actual);

    /// <summary>Decides what to pull. Asks the registries, unless their answers are known; concurrent calls for one reference share the asking.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was; others who wait for the same are not disturbed.</exception>
    public async Task<Decision> Resolve(string image, CancellationToken cancellation)
    {
        // 1. Names that nobody needs to be asked about.
        if (_policy.FindRefusalOfPull(image) is { } refusal)
            return new Decision(image, DecisionKind.Blocked, [], [], refusal, FromCache: false);
        if (!Reference.TryParse(image, out var reference))
            return AsGiven(image, null, ImageId.IsId(image) ? "an image ID, not a name" : "not a well-formed image name");
        if (FindExclusion(reference) is { } exclusion)
            return AsGiven(image, reference, $"excluded ({exclusion})");
        var asked = FindAllowed(image, reference, out var refusalThere);
        if (asked.Count == 0)
        {
            return refusalThere is not null && settings.OfflineOnly
                ? new Decision(image, DecisionKind.Blocked, [], [], refusalThere, FromCache: false)
                : Decide(image, reference, asked, ProbeRound.Empty, fromCache: false);
        }

        // 2. Answers that are still believed.
        var key = reference.ToString();
        if (_known.Find(key) is { } earlier && earlier.IsValid(IsBelieved(asked)))
            return Decide(image, reference, asked, earlier, fromCache: true);

        // 3. Ask, once for everybody who wants to know.
        var (round, isPartlyKnown, slow) = await _rounds.Join(key, abandoned => Ask(key, asked, abandoned), cancellation);
        return Decide(image, reference, asked, round, isPartlyKnown, slow);
    }

    /// <summary>
    /// Drops what is remembered about the image of a decision that failed to pull. Does nothing if it has been asked about
    /// again since, so that a hundred pulls that failed together ask once.
    /// </summary>
    public void Forget(Decision decision)
    {
        if (Reference.TryParse(decision.Image, out var reference))
            _known.Forget(reference.ToString(), round => IsOf(decision, round));
    }

    /// <summary>
    /// Whether the registry of a candidate is there: it has answered since then, or answers now. All who want to know it of one registry at
    /// the same time share one question. A registry that does not answer is set aside, unless that is about this image alone.
    /// </summary>
    /// <param name="candidate">Of a registry.</param>
    /// <param name="since">A timestamp.</param>
    /// <exception cref="OperationCanceledException">The process ends.</exception>
    public Task<bool> IsThere(Candidate candidate, long since) =>
        registries.IsThere(candidate.Registry!, candidate.Name!, settings.ProbeTimeout, since);

    /// <param name="refusal">Of the first name at a registry that is forbidden itself; null where none is.</param>
    private List<Candidate> FindAllowed(string image, Reference reference, out string? refusal)
    {
        refusal = null;
        var allowed = new List<Candidate>();
        foreach (var candidate in _candidates.AtRegistries(image, reference))
        {
            if (_policy.FindRefusal(candidate.Name!) is { } why)
                refusal ??= why;
            else
                allowed.Add(candidate);
        }

        return allowed;
    }

    private async Task<Asked> Ask(string key, List<Candidate> asked, CancellationToken abandoned)
    {
        // What is known is looked up again: somebody may have asked between our step 2 and step 3.
        var started = time.GetTimestamp();
        var earlier = _known.Find(key);
        var round = await Run(earlier, IsBelieved(asked), registries.Probe);

        // Setting aside orders, it does not forbid: before the pull is given up or goes as given, who was set aside is tried.
        if (!round.IsFound)
            round = await Run(round, (_, answer) => !IsWorthAnotherTry(answer.Value), registries.ProbeAgain);
        _known.Remember(key, round.Keeping(earlier, IsFresh));
        return new Asked(round, round.HasAnswerBefore(started), round.IsFound ? [] : await FindSlow(asked, round, abandoned));

        Task<ProbeRound> Run(ProbeRound? before, Func<int, ProbeRound.Answer, bool> isValid, Probe probe) =>
            ProbeRound.Run(asked.Count, (i, stopped) => Put(probe, asked[i], stopped), before, isValid, time, abandoned);
    }

    /// <summary>Those that were too late for this image and are well: each may be a cache that is fetching it.</summary>
    private async Task<HashSet<Candidate>> FindSlow(List<Candidate> asked, ProbeRound round, CancellationToken abandoned)
    {
        var slow = new HashSet<Candidate>();
        for (var i = 0; i < asked.Count; i++)
        {
            if (round.FindResult(i) is ProbeResult.Unreachable { IsLate: true } && await registries.IsWell(asked[i].Registry!, abandoned))
                slow.Add(asked[i]);
        }

        return slow;
    }

    private async Task<ProbeRound.Answer> Put(Probe probe, Candidate candidate, CancellationToken stopped)
    {
        var result = await probe(candidate.Registry!, candidate.Name!, settings.ProbeTimeout, stopped);
        return new ProbeRound.Answer(result, time.GetTimestamp());
    }

    private static bool IsWorthAnotherTry(ProbeResult result) => result is ProbeResult.Unreachable { SetAsideFor: { } age } && age > s_shortOutage;

    private Decision Decide(
        string image, Reference reference, List<Candidate> asked, ProbeRound round, bool fromCache, IReadOnlySet<Candidate>? slow = null)
    {
        var probes = Report(asked, round);
        var found = probes.Where(p => p.Result is ProbeResult.Found).ToList();
        var unknown = found.Count == 0 ? [] : probes.Where(p => p.Result is null);
        var late = probes.Where(p => slow?.Contains(p.Candidate) is true);
        var toPull = WithAsGiven(found.Concat(unknown).Concat(late).Select(p => p.Candidate).DistinctBy(candidate => candidate.Image), image, reference);
        var kind = found.Count > 0 ? DecisionKind.Found : toPull.Exists(c => c.IsAsGiven) ? DecisionKind.AsGiven : DecisionKind.Nowhere;
        return new Decision(image, kind, toPull, probes, Why(probes, found.FirstOrDefault()), fromCache);
    }

    /// <summary>
    /// What each registry said. One below the first that has the image, which was not waited for or was asked earlier, may be set aside by
    /// now: that counts instead, so that no pull goes there.
    /// </summary>
    private List<ProbeReport> Report(List<Candidate> asked, ProbeRound round)
    {
        var reports = new List<ProbeReport>();
        var isFound = false;
        foreach (var (i, candidate) in asked.Index())
        {
            var result = round.FindResult(i);
            if (isFound && result is (null or ProbeResult.Found))
                result = registries.FindOutage(candidate.Registry!) ?? result;
            isFound |= result is ProbeResult.Found;
            reports.Add(new ProbeReport(candidate, result));
        }

        return reports;
    }

    private static string Why(List<ProbeReport> probes, ProbeReport? found) => found switch
    {
        not null => string.Join(", ", probes.TakeWhile(p => p != found).Append(found)),
        null when probes.Count == 0 => "no configured registry serves it",
        null => $"at no registry: {string.Join(", ", probes)}",
    };

    /// <summary>What is not ours to rewrite goes as given even with <c>offlineOnly</c>.</summary>
    private Decision AsGiven(string image, Reference? reference, string reason) =>
        new(image, DecisionKind.AsGiven, [_candidates.AsGiven(image, reference)], [], reason, FromCache: false);

    private List<Candidate> WithAsGiven(IEnumerable<Candidate> first, string image, Reference reference)
    {
        var all = first.ToList();
        if (!settings.OfflineOnly && !all.Exists(c => c.IsAsGiven))
            all.Add(_candidates.AsGiven(image, reference));
        return all;
    }

    /// <summary>Whether the same registries are asked for each image, so that their answers stand in the same order.</summary>
    private bool IsAskedAsUntilNow(ShimSettings next) =>
        next.HasSameRegistries(settings) && next.Block.SequenceEqual(settings.Block) && next.Cache.ImageCacheSize == settings.Cache.ImageCacheSize;

    private ImagePattern? FindExclusion(Reference reference) => settings.Exclude.FirstOrDefault(pattern => pattern.Matches(reference));

    private bool IsFresh(ProbeRound.Answer answer) => time.GetElapsedTime(answer.At) < _lifetimes.Of(answer.Value);

    /// <summary>A registry that is set aside may still have what it had, and no pull of it would end: others are asked.</summary>
    private Func<int, ProbeRound.Answer, bool> IsBelieved(List<Candidate> asked) =>
        (i, answer) => IsFresh(answer) && !(answer.Value is ProbeResult.Found && registries.FindOutage(asked[i].Registry!) is not null);

    /// <summary>Of registries that could not be reached another answer may be kept (<see cref="ProbeRound.Keeping"/>).</summary>
    private static bool IsOf(Decision decision, ProbeRound round) => decision.Probes.Index().All(
        probe => probe.Item.Result is null or ProbeResult.Unreachable || ReferenceEquals(probe.Item.Result, round.FindResult(probe.Index)));

    private delegate Task<ProbeResult> Probe(Registry registry, Reference image, TimeSpan patience, CancellationToken cancellation);

    /// <param name="Round">With all answers that decide.</param>
    /// <param name="IsPartlyKnown">One of them was remembered.</param>
    /// <param name="Slow">Who may have the image although it has not said so in time.</param>
    private sealed record Asked(ProbeRound Round, bool IsPartlyKnown, IReadOnlySet<Candidate> Slow);
}
