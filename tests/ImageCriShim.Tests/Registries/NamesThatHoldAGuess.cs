using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries;

/// <summary>Who asks for an image with a guess in its name is told the same whether the guess is the node's password or not.</summary>
public sealed class NamesThatHoldAGuess
{
    private const string Letters = "ab1";

    /// <summary>As containerd and registries repeat the name {0}, of repository {1} and version {2}, at {3}.</summary>
    private static readonly string[] s_shapes =
    [
        "failed to pull and unpack image \"{0}\": failed to resolve reference \"{0}\": unexpected status from HEAD request to http://{3}/v2/{1}/manifests/{2}: 403 Forbidden",
        "failed to fetch anonymous token: unexpected status from GET request to https://auth.test/token?scope=repository%3A{4}%3Apull&service={3}: 401",
        "failed to authorize: https://auth.test/token {{scope=repository:{1}:pull}}: insufficient_scope",
        "{{\"errors\":[{{\"code\":\"NAME_UNKNOWN\",\"detail\":{{\"name\":\"{1}\",\"Tag\":\"{2}\"}}}}]}}",
        "{{\"name\":\"{5}\"}}",
        "manifest unknown: unknown manifest name={1} revision={2}",
        "httpReadSeeker: failed open: could not fetch content descriptor {2} from remote: not found",
        "repository '{1}' not found: {2}.",
    ];

    [Theory]
    [InlineData("Harbor12345")]
    [InlineData("SGFyYm9yMTIzNDU")] // in base64
    [InlineData("cm9ib3Q6SGFyYm9yMTIzNDU")] // as a header has it
    [InlineData("4861726f6267723132333435")] // in hex
    [InlineData("4861726263")]
    [InlineData("x-Harbor12345.rc1")]
    public void As_the_tag(string guess)
    {
        foreach (var text in Texts("localhost:15777", "p/x", guess))
        {
            var names = EchoedNames.Of($"localhost:15777/p/x:{guess}");
            foreach (var secret in (string[])["Harbor12345", guess, "Harog b", "p", "x", "p/x"])
                Clean(text, secret, names).ShouldBe(Clean(text, "another-0815", names));
        }
    }

    [Fact]
    public void As_the_tag_beside_a_digest_that_is_too_long()
    {
        var name = $"h.test/{string.Join('/', Enumerable.Repeat("a", 127))}:Harbor12345@sha256:{new string('0', 9000)}";
        ForeignText.HoldsSecret(
            $"failed to parse \"{name}\": Harbor12345", SentSecrets.Of(new Credential.Password("robot", "Harbor12345")), EchoedNames.Of(name)).ShouldBeFalse();
    }

    [Fact]
    public void Anywhere()
    {
        var random = new Random(20260202);
        var guessed = 0;
        for (var round = 0; round < 3000; round++)
        {
            string host = $"{Word(random)}.test:5000", repository = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Word(random)));
            var version = Word(random) + (random.Next(2) == 0 ? "" : $"-{Word(random)}_{Word(random).ToUpperInvariant()}.{Word(random)}");
            var written = $"{host}/{repository}:{version}";
            var names = EchoedNames.Of($"hub.test/{repository}:{version}", written);
            var password = Guess(random, written);
            foreach (var text in Texts(host, repository, version).Where(text => !IsElsewhere(text, password, written, repository, version, host)))
            {
                guessed += text.Contains(password, StringComparison.Ordinal) ? 1 : 0;
                Clean(text, password, names).ShouldBe(Clean(text, "Another!Secret#0815", names), $"{password} in {text}");
                SentSecrets.Of(new Credential.Password("robot", password)).HideIn(text, names).ShouldBe(text, password);
            }
        }

        guessed.ShouldBeGreaterThan(1000);
    }

    [Theory]
    [InlineData("Harbor", "12345")]
    [InlineData("H", "Harbor1234")]
    [InlineData("h/a/r/b/o/r", "1.2.3.4.5")]
    [InlineData("harbor", "12345")]
    public void A_password_that_is_repeated_stays_hidden_whatever_parts_of_it_are_in_the_name(string one, string other)
    {
        var names = EchoedNames.Of($"hub.test/{one}/{other}:{other}");
        foreach (var form in (string[])["Harbor12345", "Harbor%31234%35", Convert.ToBase64String(Encoding.UTF8.GetBytes("robot:Harbor12345"))])
            Clean($"{one} {other}: password={form}, \"{form}\"", "Harbor12345", names).ShouldNotContain(form);
    }

    [Fact]
    public void A_password_beside_the_name_is_hidden_although_the_name_has_a_word_of_it() =>
        Clean("\"hub.test/p/x:rc1\": password x:rc1! of p", "x:rc1!", EchoedNames.Of("hub.test/p/x:rc1")).ShouldBe("\"hub.test/p/x:rc1\": password *** of p");

    private static string Clean(string text, string secret, EchoedNames names) =>
        ForeignText.CleanOfRuntime(text, SentSecrets.Of(new Credential.Password("robot", secret)), names);

    private static IEnumerable<string> Texts(string host, string repository, string version) => s_shapes.Select(shape => string.Format(
        null, shape, $"{host}/{repository}:{version}", repository, version, host, Uri.EscapeDataString(repository), repository.Replace("/", "\\/")));

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => Letters[random.Next(Letters.Length)]));

    /// <summary>A part of the name, all of it, or something that has nothing to do with it.</summary>
    private static string Guess(Random random, string written)
    {
        if (random.Next(5) == 0)
            return Word(random) + "!";
        var begin = random.Next(written.Length);
        return written[begin..random.Next(begin + 1, written.Length + 1)];
    }

    /// <summary>Whether the text has it outside of what the caller wrote, too.</summary>
    private static bool IsElsewhere(string text, string password, params string[] written)
    {
        var blank = written.OrderByDescending(part => part.Length)
            .SelectMany(part => new[] { part, Uri.EscapeDataString(part), part.Replace("/", "\\/") })
            .Aggregate(text, (rest, part) => rest.Replace(part, new string('\n', part.Length), StringComparison.Ordinal));
        for (var at = -1; (at = text.IndexOf(password, at + 1, StringComparison.Ordinal)) >= 0;)
        {
            if (blank.AsSpan(at, password.Length).ContainsAnyExcept('\n'))
                return true;
        }

        return false;
    }
}
