namespace ImageCriShim.Registries.Auth;

/// <summary>One way in which a registry wants to learn who asks: an element of <c>WWW-Authenticate</c> (RFC 9110 section 11.6.1).</summary>
internal sealed class Challenge(string scheme)
{
    private readonly Dictionary<string, string> _parameters = new(StringComparer.OrdinalIgnoreCase);

    public string Scheme => scheme;

    public IReadOnlyDictionary<string, string> Parameters => _parameters;

    /// <summary>All that an answer holds, in its order, from one header or from several. What is malformed is left out.</summary>
    public static List<Challenge> Read(HttpResponseMessage response)
    {
        var challenges = new List<Challenge>();
        if (response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var headers))
        {
            foreach (var header in headers)
                challenges.AddRange(new ChallengeReader(header).Read());
        }
        return challenges;
    }

    public bool Is(string otherScheme) => scheme.Equals(otherScheme, StringComparison.OrdinalIgnoreCase);

    /// <returns>Null if there is no such parameter.</returns>
    public string? Find(string parameter) => _parameters.GetValueOrDefault(parameter);

    /// <summary>A parameter must not come twice (RFC 9110 section 11.2); the first counts.</summary>
    public void Add(string parameter, string value) => _parameters.TryAdd(parameter, value);
}
