using System.Net;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Finds out for one question as whom a registry wants to be asked, in as few requests as tell:
/// 1. as its repository is known to want, or its neighbours; else with a user's password, which a registry that wants tokens will refuse
///    as it would have refused nobody;
/// 2. after a 401 as the challenge says, and once more if the next challenge asks for something else than was just given;
/// 3. without anything, once, where what was sent may be all that the registry dislikes: it answers, or says what it wants;
/// 4. with a new token, where it disliked an old one and does not say what it wants.
/// </summary>
internal sealed class Negotiation(
    TokenCache tokens,
    LearnedDemands learned,
    TimeProvider time,
    Registry registry,
    CredentialAnswer account,
    Reference image,
    bool isOfCredential)
{
    private const int MaxChallenges = 3; // answered ones; registries need one, those that know nothing of our guess two

    private readonly RegistryIdentity _identity = RegistryIdentity.Of(registry);
    private readonly List<TokenRequest> _given = []; // for which new tokens were had
    private readonly Dictionary<TokenRequest, ProbeResult> _failed = [];
    private readonly List<string> _secrets = [];
    private Authorization _sent = Authorization.Nobody(account);
    private (Authorization Sent, HttpStatusCode Status)? _doubted; // what nothing was sent instead of
    private int _challenges;

    /// <summary>What has been sent so far: a registry may repeat any of it.</summary>
    public IReadOnlyList<string> Secrets => _secrets;

    /// <summary>Whether the answer to a question that is put without the credential takes the place of the one with it.</summary>
    public bool IsAnswer(ManifestReply without, ManifestReply with) => !isOfCredential && without.IsBetterThan(with);

    /// <summary>What to send first.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async ValueTask<Authorization> Begin(CancellationToken cancellation)
    {
        if (account.Credential is Credential.RegistryToken token)
            return Note(Authorization.Of(token, account));
        var known = learned.Find(_identity, image.Repository, account.Credential);
        if (known is { Demand.Terms: { } terms } && RequestFor(terms) is { } request)
        {
            var withToken = await WithToken(terms, request, known.Value.IsGuess, cancellation);
            return Note(withToken.Failure is null ? withToken : Authorization.Nobody(account)); // it may name another token server by now
        }
        var isWanted = known is { Demand.Scheme: AuthScheme.Basic, IsGuess: false };
        return Note(account.Credential is not Credential.Password password ? Authorization.Nobody(account)
            : known is { Demand.Scheme: AuthScheme.None } ? Authorization.Nobody(account, isGuess: true)
            : Authorization.Basic(password, account, isGuess: !isWanted));
    }

    /// <summary>What to send instead, after an answer to what was sent last.</summary>
    /// <returns>Null if there is nothing better.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async ValueTask<Authorization?> Next(ManifestReply reply, CancellationToken cancellation)
    {
        if (reply.Failure is not null)
            return null;
        var isChallenged = reply.Response.StatusCode is HttpStatusCode.Unauthorized;
        var next = !reply.HasStrayed ? await NextHere(reply, cancellation)
            : isChallenged ? await NextElsewhere(reply, cancellation)
            : null;
        if (next is not null)
            return Note(next);
        Learn(reply.Response.StatusCode);
        return null;
    }

    private Authorization Note(Authorization next)
    {
        if (next.Header?.Parameter is { } secret)
            _secrets.Add(secret);
        return _sent = next;
    }

    private async ValueTask<Authorization?> NextHere(ManifestReply reply, CancellationToken cancellation)
    {
        var status = reply.Response.StatusCode;
        string? problem = null;
        if (status is HttpStatusCode.Unauthorized)
        {
            Drop(_sent);
            var challenges = Challenge.Read(reply.Response);
            var (next, isGiven, found) = await AnswerBearer(reply.From, challenges, cancellation);
            if (next is null && !isGiven)
                (next, isGiven) = AnswerBasic(challenges);
            if (next is not null || isGiven)
                return next;
            problem = found;
        }
        var isAboutRefusal = _doubted is null || _doubted.Value.Status is HttpStatusCode.Unauthorized;
        return await Doubt(status, cancellation)
            ?? (problem is null || !isAboutRefusal ? null : Authorization.Impossible(new ProbeResult.Denied($"it {problem}")));
    }

    /// <returns>What to send; else whether the challenge asks for what was given, and why its token server may not be asked.</returns>
    private async ValueTask<(Authorization? Next, bool IsGiven, string? Problem)> AnswerBearer(
        Uri challenged, List<Challenge> challenges, CancellationToken cancellation)
    {
        if (challenges.Find(c => c.Is("Bearer")) is not { } bearer)
            return (null, false, null);
        var isRealm = Realm.TryFind(challenged, bearer.Find("realm"), out var realm, out var problem);
        if (realm is null || account.Credential is Credential.RegistryToken)
            return (null, isRealm, account.Credential is Credential.RegistryToken ? null : problem);
        var terms = new BearerTerms(realm, bearer.Find("service"), bearer.Find("scope"), image.Repository);
        var request = RequestFor(terms)!;
        if (!IsGiven(terms, request) && _challenges++ < MaxChallenges)
            return (await WithToken(terms, request, isGuess: false, cancellation), false, null);
        if (_sent.Header is null) // what was doubted was right
            learned.Learn(_identity, image.Repository, new Demand(AuthScheme.Bearer, terms, account.Credential));
        return (null, true, null);
    }

    private (Authorization? Next, bool IsGiven) AnswerBasic(List<Challenge> challenges)
    {
        var isBasic = challenges.Exists(c => c.Is("Basic"));
        if (!isBasic || account.Credential is not Credential.Password password)
            return (null, isBasic && account.Credential is Credential.RegistryToken);
        if (!_sent.IsBasic && _doubted?.Sent.IsBasic != true)
            return (Authorization.Basic(password, account, isGuess: false), false);
        if (_sent.Header is null)
            learned.Learn(_identity, image.Repository, new Demand(AuthScheme.Basic));
        return (null, true);
    }

    /// <summary>Whether the challenge asks for what it was just given, as far as it says what it asks for.</summary>
    private bool IsGiven(BearerTerms terms, TokenRequest request) => _given.Exists(given =>
        given.Registry == request.Registry
        && given.Realm == request.Realm
        && (terms.Service is null || given.Service == terms.Service)
        && (string.IsNullOrWhiteSpace(terms.Scope) || given.Scope == request.Scope));

    private async ValueTask<Authorization?> Doubt(HttpStatusCode status, CancellationToken cancellation)
    {
        if (_doubted is null && IsDoubtful(status))
        {
            Drop(_sent);
            _doubted = (_sent, status);
            return _sent.Header is null && account.Credential is Credential.Password password
                ? Authorization.Basic(password, account, isGuess: true, isTrial: true)
                : Authorization.Nobody(account, isTrial: true);
        }
        return status is not HttpStatusCode.OK && _sent is { Header: null, IsTrial: true }
            && _doubted is { Sent: { Terms: { } terms, Token.Answer.IsNew: false } } && RequestFor(terms) is { } request
                ? await WithToken(terms, request, isGuess: false, cancellation)
                : null;
    }

    /// <summary>
    /// Whether it may be what was sent that the registry dislikes, and not the question: what it has not asked for yet, and tokens that are
    /// out of date, which get 400 (ECR Public), 403 or 404 from some.
    /// </summary>
    private bool IsDoubtful(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized => _sent.Header is not null,
        HttpStatusCode.TooManyRequests => _sent is { IsGuess: true, Header: null },
        HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or >= HttpStatusCode.InternalServerError =>
            _sent.IsGuess || (_sent.Token is { Answer.Token: { } token } && !token.IsYoung(time)),
        _ => false,
    };

    /// <summary>A host that the registry redirects to wants to know who asks: nobody does. What it gets goes to it alone.</summary>
    private async ValueTask<Authorization?> NextElsewhere(ManifestReply reply, CancellationToken cancellation)
    {
        if (_sent.Start is null)
            Learn(HttpStatusCode.OK); // of the registry itself, which has sent us there
        else
            Drop(_sent);
        if (FindRequestElsewhere(reply) is not { } request || _challenges++ >= MaxChallenges)
            return null;
        var answer = await Get(request, cancellation);
        var (host, tls) = request.Registry;
        return answer.Failure switch
        {
            null => Authorization.Elsewhere(new Hop(host, reply.From, tls, IsElsewhere: true), request, answer),
            ProbeResult.Denied denied =>
                Authorization.Impossible(new ProbeResult.Denied($"{denied.Reason} for no user, for a host that it redirects to")),
            var failure => Authorization.Impossible(failure),
        };
    }

    /// <returns>Null if the challenge cannot be answered, or asks for what was given.</returns>
    private TokenRequest? FindRequestElsewhere(ManifestReply reply)
    {
        if (Challenge.Read(reply.Response).Find(c => c.Is("Bearer")) is not { } bearer
            || !Realm.TryFind(reply.From, bearer.Find("realm"), out var realm, out _))
            return null;
        var host = new RegistryIdentity(new Uri(reply.From, "/"), registry.Tls.ForOtherHosts);
        var repository = ManifestPath.FindRepository(reply.From) ?? image.Repository;
        var terms = new BearerTerms(realm, bearer.Find("service"), bearer.Find("scope"), repository);
        var request = terms.RequestFor(repository, account: null, host, isElsewhere: true)!;
        return IsGiven(terms, request) ? null : request;
    }

    private async ValueTask<Authorization> WithToken(
        BearerTerms terms, TokenRequest request, bool isGuess, CancellationToken cancellation)
    {
        var answer = await Get(request, cancellation);
        return answer.Failure switch
        {
            null => Authorization.Of(terms, request, answer, account, isGuess),
            ProbeResult.Denied denied => Authorization.Impossible(new ProbeResult.Denied($"{denied.Reason} {Authorization.Whom(account)}")),
            var failure => Authorization.Impossible(failure),
        };
    }

    /// <summary>Asks a token server for a token once at most if it gives none.</summary>
    private async ValueTask<TokenAnswer> Get(TokenRequest request, CancellationToken cancellation)
    {
        if (_failed.TryGetValue(request, out var failure))
            return TokenAnswer.No(failure);
        try
        {
            var answer = await tokens.Get(request, cancellation);
            if (answer.Failure is not null)
                _failed[request] = answer.Failure;
            else if (answer.IsNew)
                _given.Add(request);
            return answer;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            if (request.Registry == _identity)
                learned.Forget(_identity, image.Repository);
            throw new NoTokenInTimeException(request.Realm.Authority, cancellation);
        }
    }

    private TokenRequest? RequestFor(BearerTerms terms) => terms.RequestFor(image.Repository, account.Credential, _identity);

    private void Drop(Authorization refused)
    {
        if (refused.Token is { } used)
            tokens.Drop(used.Request, used.Answer.Token!);
    }

    /// <summary>What the repository has taken is what it is sent from now on. A guess that found nothing may have been wrong.</summary>
    private void Learn(HttpStatusCode status)
    {
        var isAccepted = status is HttpStatusCode.OK
            || (!_sent.IsGuess && status is not HttpStatusCode.Unauthorized and < HttpStatusCode.InternalServerError);
        if (isAccepted && _sent.Start is null && FindDemand(status) is { } demand)
            learned.Learn(_identity, image.Repository, demand);
    }

    private Demand? FindDemand(HttpStatusCode status) => _sent switch
    {
        { Terms: { } terms } => new Demand(AuthScheme.Bearer, terms, account.Credential),
        { IsBasic: true } => new Demand(AuthScheme.Basic),
        { Header: null } when status is HttpStatusCode.OK && !isOfCredential => new Demand(AuthScheme.None),
        _ => null, // a registry token
    };
}
