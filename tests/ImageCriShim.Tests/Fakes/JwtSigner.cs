using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace ImageCriShim.Tests.Fakes;

/// <summary>Signs tokens that a real registry verifies (distribution's "Token Authentication Implementation", RFC 7519, ES256).</summary>
internal sealed class JwtSigner(FakeAuthority authority) : IDisposable
{
    public const string Issuer = "tests";

    private readonly X509Certificate2 certificate = authority.Issue(["signer.of.tests"]);

    /// <summary>From when on the tokens are valid, and how long; a registry allows for a minute of difference between clocks.</summary>
    public TimeSpan Since { get; set; } = TimeSpan.FromMinutes(-1);
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <param name="scope"><c>repository:team/app:pull,push</c>, several separated by spaces; empty: a token that allows nothing.</param>
    public string Sign(string scope)
    {
        var access = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split(':')).Select(parts => (JsonNode)new JsonObject
        {
            ["type"] = parts[0],
            ["name"] = parts[1],
            ["actions"] = new JsonArray([.. parts[2].Split(',').Select(action => (JsonNode)action)]),
        });
        var start = DateTimeOffset.UtcNow + Since;
        var header = new JsonObject { ["typ"] = "JWT", ["alg"] = "ES256", ["x5c"] = new JsonArray(Convert.ToBase64String(certificate.RawData)) };
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = "",
            ["aud"] = FakeTokenServer.Service,
            ["nbf"] = start.ToUnixTimeSeconds(),
            ["iat"] = start.ToUnixTimeSeconds(),
            ["exp"] = (start + Lifetime).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
            ["access"] = new JsonArray([.. access]),
        };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        using var key = certificate.GetECDsaPrivateKey()!;
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public void Dispose() => certificate.Dispose();

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
