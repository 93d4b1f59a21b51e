using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>Remembers what registries want to be sent, and their tokens, for all questions: each has its <see cref="Negotiation"/>.</summary>
/// <param name="connections">To token servers.</param>
/// <param name="time">Measures the lives of tokens.</param>
/// <param name="isOfCredential">Whether the questions are about the credential, so that an answer without it is none.</param>
internal sealed class Authenticator(RegistryConnections connections, TimeProvider time, bool isOfCredential)
{
    private readonly TokenCache _tokens = new(new TokenServer(connections, time), time);
    private readonly LearnedDemands _learned = new();

    public Negotiation Negotiate(Registry registry, CredentialAnswer account, Reference image) =>
        new(_tokens, _learned, time, registry, account, image, isOfCredential);

    /// <summary>Forgets what all other registries want, and their tokens.</summary>
    public void Keep(IReadOnlySet<RegistryIdentity> registries)
    {
        _learned.Keep(registries);
        _tokens.Keep(registries);
    }
}

/// <summary>The question ended while it waited for a token.</summary>
internal sealed class NoTokenInTimeException(string tokenServer, CancellationToken cancellation) : OperationCanceledException(cancellation)
{
    public string TokenServer => tokenServer;
}
