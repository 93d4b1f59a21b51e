using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// The way of a pull:
/// <list type="number">
/// <item>The relay collects the request and asks <see cref="CriCall.OnRequest"/>: an ID or a malformed name is forwarded as given.</item>
/// <item>The image's registries are asked, all at once, who has it: <see cref="Resolver.Resolve"/>, by way of
/// <see cref="CandidateList"/> (which names), <see cref="ProbeRound"/> (in which order their answers count) and
/// <see cref="Registries.RegistryClient"/> (asking).</item>
/// <item>The candidates are pulled in order, each with the credential that is for it (<see cref="AuthConfig"/>), until the runtime
/// has one: <see cref="RuntimeClient"/>.</item>
/// <item>If none could be pulled and the decision was an old one, it is forgotten and made anew, once.</item>
/// <item>The caller gets the runtime's own answer, or one error that tells the whole story (<see cref="PullFailure"/>).</item>
/// </list>
/// </summary>
internal sealed class PullImageCall(CallEnvironment environment, CallerHead head) : CriCall(environment, head)
{
    // 1. There is a name in the request.
    protected override Verdict Decide() => Verdict.Answer;

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        // 2. Who has it?
        var decision = await Resolve(cancellation);
        if (decision.Kind is DecisionKind.Blocked)
            return new GrpcStatus(StatusCode.PermissionDenied, $"image-cri-shim: {decision.Reason}").ToAnswer();

        // 3. From the first that gives it.
        var attempts = await Pull(decision, cancellation);

        // 4. An old decision may be wrong by now.
        if (!IsDone(attempts) && decision.FromCache)
        {
            Environment.Resolver.Forget(decision);
            decision = await Resolve(cancellation);
            attempts = await Pull(decision, cancellation);
        }

        // 5. The runtime's answer, or the story of why there is none.
        return IsDone(attempts) ? attempts[^1].Reply.ToAnswer() : Fail(decision, attempts);
    }

    private async Task<Decision> Resolve(CancellationToken cancellation)
    {
        var decision = await Environment.Resolver.Resolve(Image, cancellation);
        var first = decision.ToPull.Count > 0 ? decision.ToPull[0].Image : "nothing";
        Log.Resolved(Environment.Log, Image, first, decision.Reason, decision.FromCache ? "cached" : "asked", (long)Elapsed.TotalMilliseconds);
        return decision;
    }

    private async Task<List<PullAttempt>> Pull(Decision decision, CancellationToken cancellation)
    {
        var attempts = new List<PullAttempt>();
        foreach (var candidate in decision.ToPull)
        {
            var reply = await Call(await RequestFor(candidate, cancellation), cancellation);
            attempts.Add(new PullAttempt(candidate, reply));
            if (reply.Status.IsOk)
            {
                Log.Pulled(Environment.Log, Image, candidate.Image, candidate.Where, (long)Elapsed.TotalMilliseconds);
                break;
            }

            Log.PullFailed(Environment.Log, Image, candidate.Image, reply.Status.Code, reply.Status.Message);
        }

        return attempts;
    }

    /// <summary>
    /// A secret goes only to the registry that it is for: the caller's with the name as given, the configured one of a registry to
    /// that registry.
    /// </summary>
    private async Task<byte[]> RequestFor(Candidate candidate, CancellationToken cancellation)
    {
        if (candidate.IsAsGiven && AuthConfig.IsIn(Request.Span))
            return AuthConfig.Readdress(Request.Span, candidate.ServerAddress);
        var account = await FindCredential(candidate, cancellation);
        if (candidate.IsAsGiven && account.Credential is null)
            return Request.ToArray();
        var renamed = CriMessages.WithImage(Request.Span, candidate.Image);
        return AuthConfig.Replace(renamed, account.Credential, candidate.ServerAddress);
    }

    private static ValueTask<CredentialAnswer> FindCredential(Candidate candidate, CancellationToken cancellation) =>
        candidate is { Registry.Credentials: { } source, Name: { } name } ? source.Find(name, cancellation) : default;

    private StreamAnswer Fail(Decision decision, List<PullAttempt> attempts)
    {
        if (attempts is [{ Candidate.IsAsGiven: true }] && decision.Probes.Count == 0)
            return attempts[0].Reply.ToAnswer(); // nothing of ours was involved
        var failure = PullFailure.Describe(decision, attempts);
        Log.NotPulled(Environment.Log, Image, failure.Code, failure.Message);
        return failure.ToAnswer();
    }

    private static bool IsDone(List<PullAttempt> attempts) => attempts.Count > 0 && attempts[^1].Reply.Status.IsOk;
}
