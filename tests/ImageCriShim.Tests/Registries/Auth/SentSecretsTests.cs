using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>A secret is found again however it was written by whoever repeats it.</summary>
public sealed class SentSecretsTests
{
    private const string Alphabet = "abcXYZ019 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äß€漢\U0001f433";

    public static TheoryData<string> Secrets =>
    [
        "hunter2", "planted:with-colon", "a b&c=d+e/f?g#h%i", "\"quoted\\back\"", "'<single>&amp;'", "päss wörd €", "漢字-\U0001f433-end", "x1~y", "P@ssw0rd!",
        "line\nbreak\ttab", "-----BEGIN KEY-----\nMIIEvQ/+==\n-----END KEY-----", "eyJhbGciOiJSUzI1NiJ9.eyJhIjoiYiJ9.c2ln-_",
    ];

    [Theory]
    [MemberData(nameof(Secrets))]
    public void In_every_form_that_programs_give_it(string secret) => ShouldBeHidden("admin", secret);

    [Fact]
    public void And_so_is_any_other()
    {
        var random = new Random(20260115);
        var runes = Alphabet.EnumerateRunes().ToArray();
        for (var round = 0; round < 300; round++)
            ShouldBeHidden(round % 2 == 0 ? "admin" : "robot$team+x", string.Concat(Enumerable.Range(0, random.Next(6, 40)).Select(_ => runes[random.Next(runes.Length)])));
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("registry")]
    public void A_token_is_a_secret_as_well(string kind)
    {
        const string token = "opaque.token-of_no~form";
        var sent = SentSecrets.Of(kind == "identity" ? new Credential.IdentityToken(token) : new Credential.RegistryToken(token));
        foreach (var form in Forms("", token))
            sent.HideIn($"he said {form}.", EchoedNames.None).ShouldNotContain(form);
    }

    [Fact]
    public void A_key_that_stands_in_place_of_the_user_is_hidden_where_there_is_no_password() =>
        SentSecrets.Of(Credential.Password.Split("just-a-key-77")).HideIn("key just-a-key-77 is wrong", EchoedNames.None).ShouldBe("key *** is wrong");

    [Fact]
    public void What_surrounds_it_stays() =>
        SentSecrets.Of(new Credential.Password("admin", "hunter2"))
            .HideIn($"401 for admin: Basic {Base64("admin:hunter2")} (hunter2) at https://hub/v2/", EchoedNames.None).ShouldBe("401 for admin: Basic *** (***) at https://hub/v2/");

    [Fact]
    public void Nothing_is_hidden_where_nothing_was_sent() => SentSecrets.None.HideIn("a *b* c", EchoedNames.None).ShouldBe("a *b* c");

    [Fact]
    public void Nor_what_is_no_secret()
    {
        const string text = "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope";
        SentSecrets.Of(new Credential.Password("admin", "hunter2")).HideIn(text, EchoedNames.None).ShouldBe(text);
    }

    private static void ShouldBeHidden(string user, string secret)
    {
        var sent = SentSecrets.Of(new Credential.Password(user, secret));
        foreach (var form in Forms(user, secret))
        {
            sent.HideIn($"before {form} behind", EchoedNames.None).ShouldNotContain(form, Case.Sensitive, $"of {secret}");
            var shown = ForeignText.CleanOfRuntime($"before \"{form}\" behind", sent, EchoedNames.None);
            shown.ShouldNotContain(form, Case.Sensitive, $"of {secret}");
            shown.ShouldStartWith("before ");
        }
    }

    /// <summary>As it is, as headers and docker's files have it, as URLs, JSON, Go and HTML write it.</summary>
    private static IEnumerable<string> Forms(string user, string secret)
    {
        string[] both = [secret, $"{user}:{secret}"];
        var json = JsonSerializer.Serialize(new { username = user, password = secret });
        return
        [
            .. both,
            .. both.Append(json).Append($"xx{secret}yyy").SelectMany(text => new[] { Base64(text), Base64(text).TrimEnd('='), UrlBase64(text), UrlBase64(text).TrimEnd('=') }),
            Uri.EscapeDataString(secret), Lower(Uri.EscapeDataString(secret)), Uri.EscapeDataString(Uri.EscapeDataString(secret)), WebUtility.UrlEncode(secret),
            Uri.EscapeDataString(Base64($"{user}:{secret}")),
            Inside(JsonSerializer.Serialize(secret)), Inside(JsonSerializer.Serialize(secret, Relaxed)), Inside(JsonSerializer.Serialize(Base64($"{user}:{secret}"))),
            WebUtility.HtmlEncode(secret),
            .. EachCharacter(secret), Base64(Base64(Base64($"{user}:{secret}"))), Base64($"x{Base64($"xx{secret}")}"),
            Convert.ToHexString(Encoding.UTF8.GetBytes(secret)), Convert.ToHexStringLower(Encoding.UTF8.GetBytes($"{user}:{secret}")),
            secret.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\x0a").Replace("\t", "\\x09"),
        ];
    }

    /// <summary>Escaped although it need not be.</summary>
    private static IEnumerable<string> EachCharacter(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return string.Concat(bytes.Select(one => $"%{one:x2}"));
        yield return string.Concat(bytes.Select(one => $"\\x{one:X2}"));
        yield return string.Concat(secret.Select(unit => $"\\u{(int)unit:x4}"));
        yield return string.Concat(secret.Select(unit => $"\\\\u{(int)unit:X4}"));
        yield return string.Concat(secret.EnumerateRunes().Select(rune => $"\\U{rune.Value:x8}"));
        yield return string.Concat(secret.EnumerateRunes().Select(rune => $"&#0{rune.Value};"));
    }

    [Fact]
    public void A_short_one_is_hidden_only_where_it_stands_alone() =>
        SentSecrets.Of(new Credential.Password("admin", "x")).HideIn("proxy: x is wrong (\"x\")", EchoedNames.None).ShouldBe("proxy: *** is wrong (\"***\")");

    [Fact]
    public void Behind_the_beginning_of_one_that_is_longer_than_any_token_nothing_is_shown()
    {
        var secret = string.Concat(Enumerable.Range(0, 2000).Select(number => $"{number},"));
        var sent = SentSecrets.Of(new Credential.Password("admin", secret));
        foreach (var form in new[] { secret, Uri.EscapeDataString(secret), Base64(secret), Base64($"admin:{secret}"), Convert.ToHexString(Encoding.UTF8.GetBytes(secret)) })
            sent.HideIn($"he said {form} twice", EchoedNames.None).ShouldBe("he said ***");
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Inside(string quoted) => quoted[1..^1];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string UrlBase64(string text) => Base64(text).Replace('+', '-').Replace('/', '_');

    private static string Lower(string escaped) =>
        System.Text.RegularExpressions.Regex.Replace(escaped, "%[0-9A-F]{2}", match => match.Value.ToLowerInvariant());
}
