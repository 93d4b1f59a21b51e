using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Where the credential of a registry comes from. Asked again for every probe and every pull, because files and helpers change
/// their minds; what is slow is remembered inside.
/// </summary>
internal abstract class CredentialSource
{
    /// <param name="image">The image's name at the registry: one host may have several accounts, by path.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public abstract ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation);

    /// <summary>
    /// Whether the settings say the same of both. Then a reload keeps the one that is there, with the answers that it remembers.
    /// </summary>
    public virtual bool IsSameAs(CredentialSource? other) => ReferenceEquals(this, other);

    /// <summary>For people, without asking anybody: <c>admin:***</c>, <c>dockerConfig /root/.docker/config.json</c>.</summary>
    public abstract override string ToString();
}

/// <summary>What a source of credentials said.</summary>
/// <param name="Credential">Null: none for this image. The registry is asked without, and may well answer.</param>
/// <param name="From">Where it was found, for people: <c>auth</c>, <c>dockerConfig /root/.docker/config.json (helper ecr-login)</c>.</param>
/// <param name="Problem">Why there is none although there should be one, for people; holds no secret. Null where nothing went wrong.</param>
internal readonly record struct CredentialAnswer(Credential? Credential, string From, string? Problem = null)
{
    public string From { get; } = PrintableText.Of(From);

    public string? Problem { get; init => field = Shown(value); } = Shown(Problem);

    private static string? Shown(string? text) => text is null ? null : PrintableText.Of(text);
}

/// <summary>A credential written in the config file.</summary>
internal sealed class InlineCredential(Credential credential, string key) : CredentialSource
{
    private readonly Credential _credential = credential;

    public override ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation) =>
        ValueTask.FromResult(new CredentialAnswer(_credential, key));

    public override bool IsSameAs(CredentialSource? other) => other is InlineCredential inline && inline._credential == _credential;

    public override string ToString() => _credential.ToString();
}
