using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// The way of a pull:
/// <list type="number">
/// <item>The relay collects the request and asks <see cref="CriCall.OnRequest"/>: an ID is forwarded as given. A request that cannot
/// be read is forwarded too, unless the settings forbid images (<see cref="ImagePolicy"/>).</item>
/// <item>The image's registries are asked, all at once, who has it: <see cref="Resolver.Resolve"/>, by way of
/// <see cref="CandidateList"/> (which names), <see cref="ProbeRound"/> (in which order their answers count) and
/// <see cref="RegistryClient"/> (asking).</item>
/// <item>If every one of them is down, the image that is on the node may be the answer: <see cref="LocalAnswer"/>.</item>
/// <item>The candidates are pulled in order, each with the credential that is for it (<see cref="PullRequest"/>), until the runtime
/// has one: <see cref="RuntimeClient"/>.</item>
/// <item>If none could be pulled and the decision was an old one, it is forgotten and made anew, once; and whenever a registry that is
/// pulled from by an old answer turns out to be down (<see cref="AttemptWatch"/>), it is made anew without that one.</item>
/// <item>If a digest is missing everywhere, and the settings allow it, its tag is tried, once and with a warning.</item>
/// <item>The caller gets the runtime's own answer, which is recorded (<see cref="PullRecord"/>), or one error that tells the whole
/// story (<see cref="PullFailure"/>).</item>
/// </list>
/// </summary>
internal sealed class PullImageCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private static readonly TimeSpan s_timerMargin = TimeSpan.FromMilliseconds(100); // a timer may end a moment before its time

    private string _podNamespace = "";
    private PullOutcome? _soFar; // for the caller whose deadline ends the pull

    private AttemptWatch Watch => field ??= new(Environment);

    private RegistryNotes Notes => field ??= new(Environment, Image, _podNamespace, IsDeadlineOurs);

    // 1. There is a name in the request.
    protected override Verdict DecideName()
    {
        _ = AuthConfig.IsIn(Request.Span); // a malformed one is noticed while the runtime can still judge it
        _podNamespace = CriMessages.GetPodNamespace(Request.Span);
        return Verdict.Answer;
    }

    // An ID that runtimes would pull as a name of Docker Hub may be forbidden, and no name is none that parses.
    protected override Verdict DecideId() => Environment.Policy.FindRefusalOfPull(Image) is null ? Verdict.Forward : Verdict.Answer;

    protected override Verdict DecideNone() => DecideId();

    protected override bool IsJudged => Environment.Policy.IsSet;

    internal override StreamAnswer? RefuseUnread() => IsJudged ? RefusedCall.Refuse(Method) : null;

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        using var place = Environment.Limits.Pulls.TryEnter();
        if (place is null)
            return Refuse();
        var outcome = await PullBy(Image, cancellation);
        if (outcome.Decision.Kind is DecisionKind.Blocked)
            return Block(outcome.Decision);

        // 6. The digest may be lost, and the tag still there.
        var byTag = !outcome.IsDone && FindTagInstead(outcome) is { } tagged ? await PullBy(tagged, cancellation) : null;

        // 7. The runtime's answer, or the story of why there is none.
        if ((outcome.Success ?? byTag?.Success) is { } success)
            return await Succeed(success, byTag ?? outcome, isByTag: byTag is not null, cancellation);
        return outcome.Local is { ImageRef: not null } local ? AnswerLocally(local) : Fail(outcome, byTag);
    }

    protected override string DescribeLateness()
    {
        var story = TellLateness();
        Note("late", null, null, story);
        return story;
    }

    private string TellLateness() => _soFar switch
    {
        null => $"image {Image} could not be pulled: {base.DescribeLateness()} before it was known who has it: {string.Join(", ", Environment.Resolver.Candidates(Image).Select(candidate => Shorten.Name(candidate.Image)))}",
        { Decision.Probes.Count: 0 } => base.DescribeLateness(), // nothing of ours was involved
        var soFar => PullFailure.Describe(soFar, null).Message,
    };

    private async Task<PullOutcome> PullBy(string image, CancellationToken cancellation)
    {
        for (var isAnew = false; ;)
        {
            // 2. Who has it?
            var decision = await Resolve(image, cancellation);
            var isLast = isAnew || !decision.FromCache;
            var outcome = await PullAs(decision, isLast, cancellation);
            if (outcome.IsDone || (isLast && !outcome.IsLeft))
                return outcome;

            // 5. An old decision may be wrong by now. What a registry has that is down is remembered for when it is back.
            if (outcome.IsLeft)
                continue;
            Environment.Resolver.Forget(decision);
            isAnew = true;
        }
    }

    private async Task<Decision> Resolve(string image, CancellationToken cancellation)
    {
        var decision = await Environment.Resolver.Resolve(image, cancellation);
        Environment.Missing.Note(decision, Environment.Time.GetUtcNow());
        if (decision.Probes.Count > 0)
            Environment.Metrics.CacheLookups.Add(decision.FromCache ? "hit" : "miss");
        var first = decision.ToPull.Count > 0 ? decision.ToPull[0].Image : "nothing";
        Log.Resolved(Environment.Log, image, first, decision.Reason, decision.FromCache ? "cached" : "asked", (long)Elapsed.TotalMilliseconds);
        return decision;
    }

    private async Task<PullOutcome> PullAs(Decision decision, bool isLast, CancellationToken cancellation)
    {
        // 3. What is on the node, if nobody can be asked.
        var local = decision.Image == Image && PullOutcome.IsEverythingDown(decision)
            ? await LocalAnswer.Find(Environment, decision, Environment.OtherNames.Of(Image).Recorded, await FindOnNode(cancellation), cancellation)
            : null;
        if (local is { ImageRef: not null })
            return new PullOutcome(decision, [], local);

        // 4. From the first that gives it.
        try
        {
            return await PullInOrder(decision, local, isLast, cancellation);
        }
        catch (OperationCanceledException) when (decision.FromCache)
        {
            Environment.Resolver.Forget(decision); // it has led to where nothing came in time: the next pull asks
            throw;
        }
    }

    private async Task<PullOutcome> PullInOrder(Decision decision, LocalAnswer? local, bool isLast, CancellationToken cancellation)
    {
        var attempts = new List<PullAttempt>();
        foreach (var candidate in PullOrder.Of(decision, AuthConfig.IsIn(Request.Span), Notes.IsStalled))
        {
            if (!isLast && PullOrder.IsToBeAskedFirst(decision, candidate, Notes.IsStalled))
                break;
            _soFar = new PullOutcome(decision, [.. attempts, PullAttempt.Unfinished(candidate)], local);
            var isOfNow = !decision.FromCache && attempts.Count == 0; // its registry has just answered
            var attempt = isOfNow
                ? await Pull(candidate, cancellation)
                : await Watch.Run(candidate, ended => Pull(candidate, ended), cancellation);
            if (attempt is null)
            {
                Notes.Left(candidate);
                return new PullOutcome(decision, attempts, local) { IsLeft = true };
            }

            attempts.Add(attempt);
            if (attempt.Reply.Status.IsOk)
                break;
        }

        return new PullOutcome(decision, attempts, local);
    }

    private async Task<PullAttempt> Pull(Candidate candidate, CancellationToken cancellation)
    {
        var request = await PullRequest.For(candidate, Request, cancellation);
        using var place = await Environment.Limits.PullsAtRuntime.Enter(Timeout.InfiniteTimeSpan, cancellation); // as long as its caller waits
        var begin = Environment.Time.GetTimestamp();
        TimeSpan Waited() => Environment.Time.GetElapsedTime(begin);
        try
        {
            var reply = await Call(request.Message, EchoedNames.Of(candidate.Image, Image), AuthConfig.ReadSecrets(request.Message), cancellation);
            if (reply.Status.IsOk)
                Notes.Pulled(candidate, Waited(), Elapsed);
            else
                Notes.Failed(candidate, reply.Status, Waited(), Remaining);
            return new PullAttempt(candidate, request.With, request.Problem, reply);
        }
        catch (OperationCanceledException) when (Remaining < s_timerMargin) // else the caller has left
        {
            Notes.Late(candidate, Waited());
            throw;
        }
    }

    /// <summary>For who asks what happened.</summary>
    private void Note(string result, string? actual, string? registry, string reason) =>
        Environment.Recent.Add(new RecentPull(Environment.Time.GetUtcNow(), Image, result, actual, registry, reason, Elapsed));

    private async Task<IReadOnlyList<RuntimeImage>> FindOnNode(CancellationToken cancellation)
    {
        var found = new List<RuntimeImage>();
        var spec = CriMessages.GetSpec(Request.Span);
        foreach (var name in Environment.OtherNames.Of(Image).Others.Append(Image))
        {
            if (await FindLocal(spec, name, cancellation) is { } image)
                found.Add(image);
        }

        return found;
    }

    /// <returns>Null: the digest it is, or nothing.</returns>
    private string? FindTagInstead(PullOutcome outcome) =>
        Environment.Settings.DigestFallback && outcome.IsMissingEverywhere
        && Reference.TryParse(Image, out var reference) && reference is { Tag: not null, Digest: not null }
            ? Image[..Image.IndexOf('@')]
            : null;

    private async Task<StreamAnswer> Succeed(PullAttempt success, PullOutcome outcome, bool isByTag, CancellationToken cancellation)
    {
        var digest = success.Candidate.Name?.Digest ?? DigestOf(success, outcome.Decision);
        if (isByTag)
            NoteByTag(success.Candidate.Image, digest ?? "unknown");
        Note("pulled", success.Candidate.Image, success.Candidate.Where, outcome.Decision.Reason);
        await Remember(success, digest, cancellation);
        return success.Reply.ToAnswer();
    }

    private void NoteByTag(string actual, string digest)
    {
        Environment.Metrics.TagFallbacks.Add();
        Log.CameByTag(Environment.Log, Image, Image[(Image.IndexOf('@') + 1)..], actual, digest);
    }

    /// <summary>As the registry stated it just now; a tag may have moved since an answer that was remembered.</summary>
    private static string? DigestOf(PullAttempt success, Decision decision) => decision.FromCache
        ? null
        : (decision.Probes.FirstOrDefault(probe => probe.Candidate == success.Candidate)?.Result as ProbeResult.Found)?.Digest;

    private async Task Remember(PullAttempt success, string? digest, CancellationToken cancellation)
    {
        try
        {
            var candidate = success.Candidate;
            if (candidate.Name is null || CriMessages.GetImageRef(success.Reply.Message.Span) is not { Length: > 0 } imageRef)
                return;
            digest ??= FindRecordedDigest(imageRef) ?? await AskForDigest(candidate, cancellation);
            Environment.Record.Add(
                new RecordedPull(Image, candidate.Image, candidate.Name.Domain, imageRef, Environment.Time.GetUtcNow(), success.With, digest));
        }
        catch (MalformedMessageException)
        {
            // The runtime's answer is the caller's to judge.
        }
    }

    /// <summary>Of the image that the last pull of this name brought, if it is the same.</summary>
    private string? FindRecordedDigest(string imageRef) =>
        Environment.Record.Find(Image) is { } last && last.ImageRef == imageRef ? last.Digest : null;

    /// <summary>Of an image that no registry was asked for: the runtime knows it.</summary>
    private async Task<string?> AskForDigest(Candidate candidate, CancellationToken cancellation)
    {
        var prefix = $"{(Reference.TryParse(candidate.Image, out var name) ? name : candidate.Name!).Name}@";
        var image = await FindLocal(CriMessages.GetSpec(Request.Span), candidate.Image, cancellation);
        return image?.Digests.FirstOrDefault(name => name.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
    }

    private StreamAnswer Block(Decision decision)
    {
        Note("blocked", null, null, decision.Reason);
        return new GrpcStatus(StatusCode.PermissionDenied, $"image-cri-shim: {decision.Reason}").ToAnswer();
    }

    private StreamAnswer Refuse()
    {
        Log.TooManyPulls(Environment.Log, CallLimits.MaxPulls, Image);
        return new GrpcStatus(
            StatusCode.ResourceExhausted, $"image-cri-shim: {CallLimits.MaxPulls} pulls are in progress, which is the limit; try again when some have ended").ToAnswer();
    }

    private StreamAnswer AnswerLocally(LocalAnswer local)
    {
        var (imageRef, pull) = (local.ImageRef!, local.Pull!);
        Log.AnsweredLocally(Environment.Log, Image, imageRef, pull.Actual, pull.At);
        if (!pull.HasDigestAsGiven)
            NoteByTag(pull.Actual, "unknown");
        Environment.Metrics.LocalAnswers.Add();
        Note("local", pull.Actual, pull.Registry, "no registry can be reached");
        return StreamAnswer.Ok(GrpcMessage.Frame(CriMessages.MakePullImageResponse(imageRef)));
    }

    private StreamAnswer Fail(PullOutcome outcome, PullOutcome? byTag)
    {
        if (outcome is { Attempts: [{ Candidate.IsAsGiven: true } only], Decision.Probes.Count: 0 })
        {
            Note("failed", null, only.Candidate.Where, only.Reply.Status.Message);
            return only.Reply.ToAnswer(); // nothing of ours was involved
        }

        var failure = PullFailure.Describe(outcome, byTag);
        Note("failed", null, null, failure.Message);
        Log.NotPulled(Environment.Log, Image, failure.Code, failure.Message);
        var furthest = PullFailure.FindFurthest(outcome, byTag);
        return failure.ToAnswer(furthest is null ? null : StatusDetails.For(failure, furthest));
    }
}
