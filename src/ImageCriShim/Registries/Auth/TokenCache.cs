namespace ImageCriShim.Registries.Auth;

/// <summary>The tokens that are still good. Whoever wants the same one at the same time waits for one request.</summary>
internal sealed class TokenCache(TokenServer server, TimeProvider time)
{
    private const int MaxTokens = 512; // one for each repository that a node pulls from, 1 to 4 KiB each

    private readonly LruCache<TokenRequest, Token> _tokens = new(MaxTokens);
    private readonly SharedWork<TokenRequest, TokenAnswer> _requests = new();
    private readonly Lock _gate = new(); // of the tokens

    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was; others who wait for the same token are not disturbed.</exception>
    public async ValueTask<TokenAnswer> Get(TokenRequest wanted, CancellationToken cancellation) =>
        Find(wanted) is { } token ? TokenAnswer.Of(token, isNew: false) : await _requests.Join(wanted, abandoned => Ask(wanted, abandoned), cancellation);

    /// <summary>Forgets a token that the registry did not take. Does nothing if there is another by now.</summary>
    public void Drop(TokenRequest wanted, Token refused)
    {
        lock (_gate)
        {
            if (_tokens.TryGet(wanted, out var token) && token == refused)
                _tokens.Remove(wanted);
        }
    }

    /// <summary>Forgets the tokens of all other registries.</summary>
    public void Keep(IReadOnlySet<RegistryIdentity> registries)
    {
        lock (_gate)
            _tokens.RemoveWhere(request => !registries.Contains(request.Registry));
    }

    private async Task<TokenAnswer> Ask(TokenRequest wanted, CancellationToken abandoned)
    {
        if (Find(wanted) is { } token)
            return TokenAnswer.Of(token, isNew: false); // somebody had it made since we looked
        var answer = await server.Ask(wanted, abandoned);
        if (answer.Token is not null)
            Keep(wanted, answer.Token);
        return answer;
    }

    private void Keep(TokenRequest wanted, Token token)
    {
        lock (_gate)
            _tokens.Set(wanted, token);
    }

    private Token? Find(TokenRequest wanted)
    {
        lock (_gate)
            return _tokens.TryGet(wanted, out var token) && token.IsValid(time) ? token : null;
    }
}
