using System.Net;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Decides as whom a registry is asked: what it wants is learned from its challenges and remembered by its identity, so that the next question
/// needs one request. A user's password goes along with the very first one, which a registry that wants tokens will refuse as it would
/// have refused nobody. What is remembered wrongly is refused, too, and learned anew.
/// </summary>
internal sealed class Authenticator(RegistryConnections connections, TimeProvider time)
{
    private const int MaxRegistries = 256; // configured ones; reloads may change them

    private readonly TokenCache _tokens = new(new TokenServer(connections, time), time);
    private readonly LruCache<RegistryIdentity, BearerTerms?> _wanted = new(MaxRegistries); // null: Basic
    private readonly Lock _gate = new(); // of what is wanted

    /// <summary>What to send first.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async ValueTask<Authorization> Begin(Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        if (account.Credential is Credential.RegistryToken token)
            return Authorization.Of(token, account);
        var isKnown = Find(registry, out var terms);
        if (terms is not null)
        {
            var withToken = await WithToken(terms, registry, account, image, cancellation);
            if (withToken.Failure is null)
                return withToken;
            Forget(registry);
            if (withToken.Failure is not ProbeResult.Denied)
                return withToken;
            return Authorization.Nobody(account); // it may want tokens for some repositories only
        }
        return account.Credential is Credential.Password password
            ? Authorization.Basic(password, account, isGuess: !isKnown)
            : Authorization.Nobody(account);
    }

    /// <summary>What to send instead, after a 401.</summary>
    /// <param name="challenged">Who answered 401: the registry, nobody that it redirects to.</param>
    /// <param name="challenges">What it said.</param>
    /// <param name="sent">As whom it was asked first.</param>
    /// <param name="registry">Whom to ask.</param>
    /// <param name="account">As whom.</param>
    /// <param name="image">The image's name at that registry.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <returns>Null if there is nothing better than what was sent.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async ValueTask<Authorization?> Answer(
        Uri challenged, List<Challenge> challenges, Authorization sent, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        Drop(sent);
        string? problem = null;
        if (account.Credential is not Credential.RegistryToken && challenges.Find(c => c.Is("Bearer")) is { } bearer)
        {
            if (Realm.TryFind(challenged, bearer.Find("realm"), out var realm, out problem))
            {
                var terms = new BearerTerms(realm, bearer.Find("service"), bearer.Find("scope"), image.Repository);
                return sent.Token is { Answer.IsNew: true } ? null : await WithToken(terms, registry, account, image, cancellation);
            }
        }
        if (!sent.IsBasic && account.Credential is Credential.Password password && challenges.Exists(c => c.Is("Basic")))
            return Authorization.Basic(password, account, isGuess: false);
        return problem is null ? null : Authorization.Impossible(new ProbeResult.Denied($"it {problem}"));
    }

    /// <summary>
    /// Whether the registry may have refused only the form: tokens that are out of date get 400 (ECR Public) or 403 from some, and so
    /// do passwords where tokens are wanted.
    /// </summary>
    public bool IsDoubtful(Authorization sent) => sent.IsGuess || (sent.Token is { Answer.Token: { } token } && !token.IsYoung(time));

    /// <summary>Whoever was accepted is whom the registry is asked as from now on.</summary>
    public void Learn(Registry registry, Authorization sent, HttpStatusCode status)
    {
        if (status == HttpStatusCode.Unauthorized)
            Drop(sent);
        var saysNothing = status is HttpStatusCode.Unauthorized or >= HttpStatusCode.InternalServerError
            || (sent.IsGuess && status is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden);
        if (saysNothing || (sent.Terms is null && !sent.IsBasic))
            return;
        lock (_gate)
            _wanted.Set(RegistryIdentity.Of(registry), sent.Terms);
    }

    /// <summary>Forgets what all other registries want, and their tokens.</summary>
    public void Keep(IReadOnlySet<RegistryIdentity> registries)
    {
        lock (_gate)
            _wanted.RemoveWhere(registry => !registries.Contains(registry));
        _tokens.Keep(registries);
    }

    private async ValueTask<Authorization> WithToken(
        BearerTerms terms, Registry registry, CredentialAnswer account, Reference image, CancellationToken cancellation)
    {
        var request = terms.RequestFor(image.Repository, account.Credential, registry);
        try
        {
            var answer = await _tokens.Get(request, cancellation);
            return answer.Failure switch
            {
                null => Authorization.Of(terms, request, answer, account),
                ProbeResult.Denied denied => Authorization.Impossible(new ProbeResult.Denied($"{denied.Reason} {Authorization.Whom(account)}")),
                var failure => Authorization.Impossible(failure),
            };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Forget(registry);
            throw new NoTokenInTimeException(request.Realm.Authority, cancellation);
        }
    }

    private void Drop(Authorization refused)
    {
        if (refused.Token is { } used)
            _tokens.Drop(used.Request, used.Answer.Token!);
    }

    private bool Find(Registry registry, out BearerTerms? terms)
    {
        lock (_gate)
            return _wanted.TryGet(RegistryIdentity.Of(registry), out terms);
    }

    private void Forget(Registry registry)
    {
        lock (_gate)
            _wanted.Remove(RegistryIdentity.Of(registry));
    }
}

/// <summary>The question ended while it waited for a token.</summary>
internal sealed class NoTokenInTimeException(string tokenServer, CancellationToken cancellation) : OperationCanceledException(cancellation)
{
    public string TokenServer => tokenServer;
}
