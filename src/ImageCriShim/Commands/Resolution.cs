using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Commands;

/// <summary>How the shim would resolve an image now, with what every registry said.</summary>
/// <param name="Decision">What a pull would do.</param>
/// <param name="Name">The image in full; null where it is no reference.</param>
/// <param name="Lines">Every candidate by priority, the name as given among them unless <c>offlineOnly</c> forbids it.</param>
internal sealed record Resolution(Decision Decision, Reference? Name, IReadOnlyList<ResolutionLine> Lines)
{
    /// <summary>False: every registry that was to be asked said no, or the image is refused.</summary>
    public bool IsSomewhere => Decision.Kind switch
    {
        DecisionKind.Found => true,
        DecisionKind.AsGiven => Decision.Probes.Count == 0, // nobody was to be asked, so nobody said no
        _ => false,
    };

    /// <summary>
    /// What a pull would try, in this order: <see cref="Decision.ToPull"/> without the registries that it would try unasked and
    /// that have said no here.
    /// </summary>
    public IEnumerable<Candidate> ToPull => Decision.ToPull.Where(candidate =>
        candidate.IsAsGiven || Lines.First(line => line.Candidate == candidate).Result is ProbeResult.Found or ProbeResult.Unreachable { IsLate: true });

    /// <summary>
    /// A pull asks no more than it needs; whoever wants to know why hears every registry out. The name as given is not asked
    /// for: that would be the runtime's errand.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public static async Task<Resolution> Of(string image, ShimSettings settings, Resolver resolver, RegistryClient client, CancellationToken cancellation)
    {
        var decision = await resolver.Resolve(image, cancellation);
        var asked = await Task.WhenAll(decision.Probes.Select(HearOut));
        var asGiven = decision.ToPull.Where(candidate => candidate.IsAsGiven && decision.Probes.All(probe => probe.Candidate.Image != candidate.Image));
        var unasked = await Task.WhenAll(asGiven.Select(Describe));
        return new Resolution(decision, Reference.TryParse(image, out var name) ? name : null, [.. asked, .. unasked]);

        async Task<ResolutionLine> HearOut(ProbeReport probe)
        {
            var (candidate, known) = probe;
            var result = known ?? await client.Probe(candidate.Registry!, candidate.Name!, settings.ProbeTimeout, cancellation);
            return new ResolutionLine(candidate, result, result.CredentialFrom, null);
        }

        async Task<ResolutionLine> Describe(Candidate candidate)
        {
            var account = candidate is { Registry.Credentials: { } source, Name: { } at } ? await source.Find(at, cancellation) : default;
            return new ResolutionLine(candidate, null, account.Credential is null ? null : account.From, account.Problem);
        }
    }
}

/// <summary>One name that the image may be pulled by.</summary>
/// <param name="Result">What the registry said; null for a name that nobody was asked about.</param>
/// <param name="CredentialFrom">Where the credential comes from that goes along; null: none does.</param>
/// <param name="CredentialProblem">Why there is none although there should be one.</param>
internal sealed record ResolutionLine(Candidate Candidate, ProbeResult? Result, string? CredentialFrom, string? CredentialProblem);
