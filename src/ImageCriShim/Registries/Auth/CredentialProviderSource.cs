using System.Collections.Immutable;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// The credentials that kubelet's credential-provider plugins give, asked and remembered as kubelet does it. Those that match an image are
/// asked in the order of their file, until one has a credential.
/// </summary>
internal sealed class CredentialProviderSource(string configPath, ImmutableArray<CredentialProvider> providers, TimeProvider time) : CredentialSource
{
    private const string Everything = ""; // the key of an answer for all images

    /// <summary>kubelet remembers no failure; a pull asks several times, and who mends the plugin wants to see it soon.</summary>
    private static readonly TimeSpan s_failureLife = TimeSpan.FromSeconds(10);

    private readonly ImmutableArray<(CredentialProvider Provider, HelperAnswers<ProviderAnswer> Answers)> _providers =
        [.. providers.Select(provider => (provider, new HelperAnswers<ProviderAnswer>(time)))];

    public override bool IsSameAs(CredentialSource? other) => other is CredentialProviderSource source
        && $"{other}" == $"{this}" && source._providers.Select(p => p.Provider.Written).SequenceEqual(_providers.Select(p => p.Provider.Written));

    public override async ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation)
    {
        var first = default(CredentialAnswer?);
        foreach (var (provider, answers) in _providers.Where(p => p.Provider.Serves(image)))
        {
            var answer = await Ask(provider, answers, image, cancellation);
            var found = new CredentialAnswer(answer.Find(image), $"credentialProvider {provider}", answer.Problem);
            if (found.Credential is not null)
                return found;
            if (first is not { Problem: not null })
                first = found with { Problem = answer.Problem is null ? null : $"credentialProvider {configPath}: {answer.Problem}" };
        }
        return first ?? new CredentialAnswer(null, $"{this}");
    }

    public override string ToString() => $"credentialProvider {configPath} ({string.Join(", ", providers)})";

    private async Task<ProviderAnswer> Ask(
        CredentialProvider provider, HelperAnswers<ProviderAnswer> answers, Reference image, CancellationToken cancellation)
    {
        var registry = image.Domain.ToLowerInvariant();
        var name = $"{registry}/{image.Repository}"; // kubelet leaves tag and digest out
        return FindKnown() ?? await answers.Join(name, AskNow, cancellation);

        ProviderAnswer? FindKnown() =>
            answers.TryFind(name, out var answer) || answers.TryFind(registry, out answer) || answers.TryFind(Everything, out answer) ? answer : null;

        async Task<ProviderAnswer> AskNow()
        {
            if (FindKnown() is { } quicker)
                return quicker; // somebody else's question has just been answered
            var answer = await provider.Ask(name, time);
            var life = answer.Problem is null ? answer.CacheDuration ?? provider.DefaultCacheDuration : s_failureLife;
            if (life > TimeSpan.Zero)
                answers.Keep(answer.CacheKeyType switch { "Registry" => registry, "Global" => Everything, _ => name }, answer, life);
            return answer;
        }
    }
}
