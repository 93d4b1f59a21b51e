using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImageCriShim.Inspection;

/// <summary>
/// A policy of signatures (containers-policy.json(5)): what is required of an image by its name. Only scopes of the transport
/// <c>docker</c> are for images of registries.
/// </summary>
internal sealed class SignaturePolicy
{
    private const string Transports = "transports";
    private const string Docker = "docker";
    private const string Accept = "insecureAcceptAnything";

    private static readonly string[] s_signed = ["signedBy", "signedBaseLayer", "sigstoreSigned"];
    private static readonly string[] s_ofOtherNames = ["remapIdentity", "exactReference", "exactRepository"];

    private readonly JsonObject _policy;

    private SignaturePolicy(JsonObject policy) => _policy = policy;

    /// <summary>Scopes that are not refused; <c>""</c> is every other name.</summary>
    public IEnumerable<string> Admitted => Scopes.Where(scope => Read(scope.Value) is not Requirement.Refused).Select(scope => scope.Key);

    /// <param name="problem">Why CRI-O cannot use it: it believes nothing of such a file.</param>
    public static SignaturePolicy? Parse(string text, out string problem)
    {
        problem = "it is not JSON";
        try
        {
            if (JsonNode.Parse(text) is not JsonObject policy)
                return null;
            var parsed = new SignaturePolicy(policy);
            problem = policy["default"] is not JsonArray ? "it has no default" : parsed.FindMistake();
            return problem.Length == 0 ? parsed : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return null; // the second: a key is there twice
        }
    }

    /// <summary>What is required of images by a name, which begins with this and a slash.</summary>
    /// <param name="name">A host, or a host and the beginning of a repository.</param>
    public Requirement Of(string name)
    {
        var scopes = Scopes;
        return Read(ScopesOf(name).Select(scope => scopes.GetValueOrDefault(scope)).FirstOrDefault(found => found is not null) ?? _policy["default"]);
    }

    /// <summary>Scopes within that name that have a say of their own.</summary>
    public IEnumerable<string> Within(string name) => Scopes.Keys.Where(scope => scope.StartsWith($"{name}/", StringComparison.Ordinal));

    /// <summary>The same with images of these names admitted, signed or not.</summary>
    public string Admitting(IEnumerable<string> scopes)
    {
        var policy = _policy.DeepClone().AsObject();
        if (policy[Transports] is not JsonObject transports)
            policy[Transports] = transports = [];
        if (transports[Docker] is not JsonObject docker)
            transports[Docker] = docker = [];
        foreach (var scope in scopes)
            docker[scope] = new JsonArray(new JsonObject { ["type"] = Accept });
        return JsonText.Format(json => policy.WriteTo(json)).TrimEnd('\n');
    }

    private Dictionary<string, JsonNode?> Scopes => _policy[Transports] is JsonObject transports && transports[Docker] is JsonObject docker
        ? docker.ToDictionary(scope => scope.Key, scope => scope.Value)
        : [];

    /// <summary>What is more specific comes first. A wildcard knows no port.</summary>
    private static IEnumerable<string> ScopesOf(string name)
    {
        for (var at = name; ; at = at[..at.LastIndexOf('/')])
        {
            yield return at;
            if (!at.Contains('/'))
                break;
        }

        var host = name.Split('/')[0].Split(':')[0];
        for (var dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.', dot + 1))
            yield return $"*{host[dot..]}";
        yield return "";
    }

    /// <summary>All of a list must be fulfilled.</summary>
    private static Requirement Read(JsonNode? list)
    {
        var requirements = (list as JsonArray)?.OfType<JsonObject>().ToList() ?? [];
        if (requirements.Exists(requirement => TypeOf(requirement) == "reject"))
            return Requirement.Refused;
        var signed = requirements.Where(requirement => s_signed.Contains(TypeOf(requirement))).ToList();
        if (signed.Count == 0)
            return Requirement.Nothing;
        return signed.TrueForAll(requirement => s_ofOtherNames.Contains(TypeOf(requirement["signedIdentity"])))
            ? Requirement.SignedForAnotherName
            : Requirement.SignedForThatName;
    }

    private string FindMistake()
    {
        var lists = Scopes.Values.Prepend(_policy["default"]).ToList();
        if (lists.Exists(list => list is not JsonArray { Count: > 0 }))
            return "a list of requirements is missing or empty";
        var types = lists.SelectMany(list => (JsonArray)list!).Select(TypeOf);
        return types.FirstOrDefault(type => type is not (Accept or "reject") && !s_signed.Contains(type)) is { } unknown
            ? $"it has a requirement of the type \"{unknown}\""
            : "";
    }

    private static string TypeOf(JsonNode? requirement) =>
        requirement is JsonObject map && map["type"] is JsonValue value && value.TryGetValue<string>(out var type) ? type : "";
}

internal enum Requirement
{
    /// <summary>The image need not be signed.</summary>
    Nothing,

    Refused,

    SignedForThatName,

    /// <summary>For its name elsewhere (<c>remapIdentity</c>) or a fixed one.</summary>
    SignedForAnotherName,
}
