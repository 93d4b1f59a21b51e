using System.Text;

namespace ImageCriShim.Tests.Node;

/// <summary>Every password of these tests, recognisable wherever it turns up.</summary>
public static class Secrets
{
    public const string OfPrivate = "planted-private-6c1f";
    public const string OfAnother = "planted:another-90ae"; // a colon is part of a password
    public const string OfTls = "planted-tls-47d2";
    public const string OfTokens = "planted-tokens-5be1";
    public const string OfPod = "planted-pod-b85b";
    public const string Wrong = "planted-wrong-e03c";

    public const string OfUrl = "planted-url-2b7d"; // a signature in an address

    private static readonly string[] s_all = [OfPrivate, OfAnother, OfTls, OfTokens, OfPod, Wrong, OfUrl];

    /// <summary>Which of them are there, in whatever form.</summary>
    public static IEnumerable<string> FoundIn(string text) => s_all.Where(secret => Forms(secret).Any(text.Contains));

    /// <summary>As they are, as they stand in a Basic header, in either alphabet of base64, and as they stand in a URL.</summary>
    public static void ShouldNotBeIn(string text)
    {
        foreach (var form in s_all.SelectMany(Forms))
            text.ShouldNotContain(form);
    }

    private static IEnumerable<string> Forms(string secret)
    {
        string[] encoded = [.. new[] { secret, $"admin:{secret}", $"robot:{secret}", $"pod:{secret}" }.Select(Base64)];
        return [secret, Uri.EscapeDataString(secret), .. encoded, .. encoded.Select(text => text.Replace('+', '-').Replace('/', '_')), .. encoded.Select(Uri.EscapeDataString)];
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=');
}
