using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>What the runtime is told to pull a candidate with.</summary>
/// <param name="Message">A PullImageRequest.</param>
/// <param name="With">Whose credential is in it.</param>
/// <param name="Problem">Why it has none although there should be one; null where nothing went wrong.</param>
internal readonly record struct PullRequest(byte[] Message, PulledWith With, string? Problem)
{
    /// <summary>
    /// A secret goes only to the registry that it is for: the caller's with the name as given, or where the registry says that pull
    /// secrets are for it, too; the configured one of a registry to that registry.
    /// </summary>
    /// <exception cref="MalformedMessageException"/>
    internal static async ValueTask<PullRequest> For(Candidate candidate, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        var renamed = CriMessages.GetImage(request.Span) == candidate.Image ? request.ToArray() : CriMessages.WithImage(request.Span, candidate.Image);
        if (TakesCallers(candidate) && AuthConfig.IsIn(request.Span))
        {
            if (candidate.IsByRuntimesMirrors)
                return new PullRequest(renamed, PulledWith.Callers, null); // it is for the origin, as the caller says himself
            if (AuthConfig.IsFor(renamed, candidate.ServerAddress, OriginOf(request)))
                return new PullRequest(AuthConfig.Readdress(renamed, candidate.ServerAddress), PulledWith.Callers, null);
            if (candidate.IsAsGiven)
                return new PullRequest(renamed, PulledWith.Callers, null); // as without us: it is for the runtime to drop
        }

        var account = await FindCredential(candidate, cancellation);
        if (candidate.IsAsGiven && account.Credential is null)
            return new PullRequest(renamed, PulledWith.Nothing, account.Problem);
        var message = AuthConfig.Replace(renamed, account.Credential, candidate.ServerAddress);
        return new PullRequest(message, account.Credential is null ? PulledWith.Nothing : PulledWith.NodesOwn, account.Problem);
    }

    /// <summary>
    /// A URL of the host that the caller named: its credential for that host may go along (<see cref="Registry.ForwardPullSecrets"/>).
    /// </summary>
    private static string OriginOf(ReadOnlyMemory<byte> request) =>
        Reference.TryParse(CriMessages.GetImage(request.Span), out var reference)
            ? $"https://{RegistryAddress.ApiHost(reference.Domain)}"
            : "";

    /// <summary>Whether the caller's own credential may go with this candidate.</summary>
    internal static bool TakesCallers(Candidate candidate) => candidate.IsAsGiven || candidate.Registry is { ForwardPullSecrets: true };

    internal static ValueTask<CredentialAnswer> FindCredential(Candidate candidate, CancellationToken cancellation) =>
        candidate is { Registry.Credentials: { } source, Name: { } name } ? source.Find(name, cancellation) : default;
}
