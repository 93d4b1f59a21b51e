using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>
/// Who may create pods chooses a pull secret, and with a registry of his own the text of the error as well: neither may cost the node more than
/// their lengths.
/// </summary>
public sealed class SecretsOfEscapes
{
    private const int Length = 60_000;

    public static TheoryData<string, string> Costly => new()
    {
        { @"\\\\\\\\x", @"\" },
        { "!x", @"\" },
        { @"\!\!\!\!\!\!x", @"\" },
        { "%%%%%%%%x", "%25" },
        { "%25252525x", "25" },
        { "&&&&&&&&x", "&#0" },
        { "+/+/+/+/+/+/x", "+" },
        { new string('U', 5000) + "x", "VVVV" },
        { new string('\\', 5000) + "x", @"\" },
        { new string('a', 5000) + "x", "a" },
    };

    /// <summary>What grew with a power of the text took from seconds to years here.</summary>
    [Theory]
    [MemberData(nameof(Costly))]
    public async Task Cost_no_more_than_the_text_is_long(string secret, string repeated)
    {
        var sent = SentSecrets.Of(new Credential.Password("pod", secret));
        var text = string.Concat(Enumerable.Repeat(repeated, Length / repeated.Length));
        await Task.Run(() => sent.HideIn(text, EchoedNames.None), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    /// <summary>A regular expression that says the same, and takes too long for longer texts.</summary>
    [Fact]
    public void Are_found_exactly_where_a_slow_search_finds_them()
    {
        var random = new Random(20260201);
        var (found, rounds) = (0, 5_000);
        for (var round = 0; round < rounds; round++)
        {
            var secret = Pick(random, s_characters, random.Next(4, 7));
            var text = Pick(random, s_pieces, random.Next(0, 5)) + (random.Next(3) > 0 ? Spell(random, secret) : "") + Pick(random, s_pieces, random.Next(0, 4));
            var begin = 0;
            var bytes = Encoding.UTF8.GetBytes(text);
            var isFound = new SecretPattern(secret).TryFind(bytes, ref begin, static (_, _) => false, out var end);
            var slow = Slow(secret);
            isFound.ShouldBe(slow.IsMatch(text), $"{secret} in {text}");
            if (!isFound)
                continue;
            found++;
            slow.IsMatch(Encoding.UTF8.GetString(bytes, begin, end - begin)).ShouldBeTrue($"{secret} in {text}");
            foreach (var shown in SentSecrets.Of(new Credential.IdentityToken(secret)).HideIn(text, EchoedNames.None).Split(SentSecrets.Mask))
                slow.IsMatch(shown).ShouldBeFalse($"{secret} in {text}: {shown}");
        }

        found.ShouldBeInRange(rounds / 3, rounds - (rounds / 10));
    }

    private static readonly string[] s_characters = [.. @"\%ux25aF41""'+=/-&#;n é".EnumerateRunes().Select(rune => $"{rune}"), "\n", "\U0001f433"];
    private static readonly string[] s_pieces = [.. s_characters, @"\", @"\\", "%25", "%5C", "%2", @"\u00", @"\x5c", @"\u005C", "&#", "&amp;", "&#92;", "0", "5"];

    private static string Pick(Random random, string[] from, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => from[random.Next(from.Length)]));

    private static string Spell(Random random, string secret) => string.Concat(secret.EnumerateRunes().Select(rune => random.Next(9) switch
    {
        0 => string.Concat(Encoding.UTF8.GetBytes($"{rune}").Select(one => $"%{one:X2}")),
        1 => string.Concat(Encoding.UTF8.GetBytes($"{rune}").Select(one => $"%2525{one:x2}")),
        2 => string.Concat(Encoding.UTF8.GetBytes($"{rune}").Select(one => $@"\\x{one:x2}")),
        3 => string.Concat($"{rune}".Select(unit => $@"\u{(int)unit:x4}")),
        4 => $@"\U{rune.Value:X8}",
        5 => $"&#x{rune.Value:x};",
        6 => $@"\{rune}",
        _ => $"{rune}",
    }));

    private static Regex Slow(string secret) => new(string.Concat(secret.EnumerateRunes().Select(Slow)), RegexOptions.CultureInvariant);

    private static string Slow(Rune rune)
    {
        var literal = rune.Value switch { '+' or '-' => "[+-]", '/' or '_' => "[/_]", ' ' => "[ +]", _ => Regex.Escape($"{rune}") };
        var bytes = string.Concat(Encoding.UTF8.GetBytes($"{rune}").Select(one => $@"(?:\\*(?:%(?:25)*|\\x)(?i:{one:x2}))"));
        var units = string.Concat($"{rune}".Select(unit => $@"\\+u(?i:{(int)unit:x4})"));
        var others = rune.Value switch { '&' => "|&amp;", '"' => "|&quot;", '\'' => "|&apos;", '\n' => @"|\\n", _ => "" };
        return $@"\\*(?:{literal}|{bytes}|{units}|\\U(?i:{rune.Value:x8})|&#0*{rune.Value};|&#[xX](?i:0*{rune.Value:x});{others})";
    }
}
