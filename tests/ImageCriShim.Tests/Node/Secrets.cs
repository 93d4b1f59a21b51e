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

    private static readonly string[] s_all = [OfPrivate, OfAnother, OfTls, OfTokens, OfPod, Wrong];

    /// <summary>Which of them are there, in whatever form.</summary>
    public static IEnumerable<string> FoundIn(string text) => s_all.Where(secret => Forms(secret).Any(text.Contains));

    /// <summary>As they are, as they stand in a Basic header, and as they stand in a URL.</summary>
    public static void ShouldNotBeIn(string text)
    {
        foreach (var form in s_all.SelectMany(Forms))
            text.ShouldNotContain(form);
    }

    private static IEnumerable<string> Forms(string secret) =>
    [
        secret,
        Uri.EscapeDataString(secret),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)),
        .. new[] { "admin", "robot", "pod" }.Select(user => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}"))),
    ];
}
