using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Web;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// A token server as registries name them in their challenges (distribution's token and OAuth2 specifications), and the check that a
/// registry makes. <see cref="Behave"/> makes it misbehave.
/// </summary>
internal sealed class FakeTokenServer : IAsyncDisposable
{
    public const string Service = "registry.of.tests";

    private readonly FakeRegistry http;
    private readonly ConcurrentDictionary<string, string> issued = new(); // token to scope
    private int count;

    private FakeTokenServer(FakeRegistry http)
    {
        this.http = http;
        http.Behave = request => Behave(request) ?? Issue(request) with { When = Until };
    }

    /// <summary>What to answer; null for what a token server would.</summary>
    public Func<FakeRequest, FakeAnswer?> Behave { get; set; } = _ => null;

    /// <summary>What it gives of itself it gives only then.</summary>
    public Task Until { get; set; } = Task.CompletedTask;

    /// <summary>If set, nobody else gets a token.</summary>
    public (string User, string Password)? Account { get; set; }

    /// <summary>If set, whoever posts it gets a token.</summary>
    public string? IdentityToken { get; set; }

    /// <summary>The token for a scope; by default one that says nothing.</summary>
    public Func<string, string>? Sign { get; set; }

    /// <summary>The name that the token has in the answer.</summary>
    public string TokenName { get; set; } = "token";

    /// <summary>More of the answer, such as <c>"expires_in": 300</c>.</summary>
    public string More { get; set; } = "";

    /// <summary>Of which repositories it gives away tokens that allow something.</summary>
    public Func<string, bool> Allows { get; set; } = _ => true;

    public string Host => http.Host;
    public string Address => http.Address;
    public string Realm => http.Address + "/token";
    public IReadOnlyCollection<FakeRequest> Requests => http.Requests;
    public long BodyBytesSent => http.BodyBytesSent;

    public static FakeTokenServer Start(X509Certificate2? certificate = null) =>
        new(certificate is null ? FakeRegistry.Start() : FakeRegistry.StartWithTls(certificate));

    public Task<FakeRequest> NextRequest() => http.NextRequest();

    /// <summary>No token that was issued until now is good any more.</summary>
    public void Revoke() => issued.Clear();

    /// <summary>What a registry does that wants tokens of this server: 401, unless the request carries one for its repository.</summary>
    /// <param name="request">What the registry got.</param>
    /// <param name="challenge">Its challenge, in which <c>{scope}</c> stands for the scope; by default a complete one.</param>
    public FakeAnswer? Guard(FakeRequest request, string? challenge = null) => Guard(request.Path, request.Authorization, challenge);

    /// <inheritdoc cref="Guard(FakeRequest, string?)"/>
    /// <param name="path">What is asked for; <c>/v2/</c> itself is for everybody who has a token.</param>
    /// <param name="authorization">The header as it came.</param>
    public FakeAnswer? Guard(string path, string? authorization, string? challenge = null)
    {
        var repository = path.Split("/manifests/")[0].Split("/blobs/")[0]["/v2/".Length..];
        var scope = repository.Length > 0 ? $"repository:{repository}:pull" : "";
        var token = authorization?.Split(' ') is ["Bearer", var sent] ? sent : "";
        if (issued.TryGetValue(token, out var granted) && (scope.Length == 0 || granted.Split(' ').Contains(scope)))
            return null;
        challenge ??= $"Bearer realm=\"{Realm}\",service=\"{Service}\",scope=\"{{scope}}\"";
        return new FakeAnswer(401) { Challenges = [challenge.Replace("{scope}", scope, StringComparison.Ordinal)] };
    }

    public ValueTask DisposeAsync() => http.DisposeAsync();

    private FakeAnswer Issue(FakeRequest request)
    {
        var isPost = request.Method == "POST";
        var form = HttpUtility.ParseQueryString(isPost ? request.Body : request.Path[(request.Path.IndexOf('?') + 1)..]);
        if (isPost ? form["refresh_token"] != IdentityToken || IdentityToken is null : Account is { } account && request.Authorization != Basic(account))
            return FakeAnswer.Json(401, """{"errors":[{"code":"UNAUTHORIZED","message":"who are you?"}]}""");

        var scope = string.Join(' ', form.GetValues("scope") ?? []);
        var token = Sign?.Invoke(scope) ?? $"planted-token-{Interlocked.Increment(ref count)}";
        issued[token] = Allows(scope) ? scope : "";
        return FakeAnswer.Json(200, $$"""{"{{TokenName}}":"{{token}}"{{(More.Length > 0 ? "," + More : "")}}}""");
    }

    private static string Basic((string User, string Password) account) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{account.User}:{account.Password}"));
}
