using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Registries.Auth;

public sealed class ChallengeTests
{
    [Theory]
    [InlineData("Basic realm=\"hub\"", "Basic(realm=hub)")]
    [InlineData("bearer REALM=\"https://auth.corp/token\",service=\"hub\"", "bearer(REALM=https://auth.corp/token;service=hub)")]
    [InlineData("Bearer realm=\"a\",scope=\"repository:x:pull,push repository:y:pull\"", "Bearer(realm=a;scope=repository:x:pull,push repository:y:pull)")]
    [InlineData("Basic realm=\"a, Bearer realm=b\"", "Basic(realm=a, Bearer realm=b)")]
    [InlineData("Bearer realm=\"a\\\"b\\\\c\"", "Bearer(realm=a\"b\\c)")]
    [InlineData("Basic realm=\"a\", Bearer realm=\"b\"", "Basic(realm=a) Bearer(realm=b)")]
    [InlineData("Basic realm=\"a\",Bearer realm=\"b\",service=c", "Basic(realm=a) Bearer(realm=b;service=c)")]
    [InlineData("Negotiate, Basic realm=\"a\"", "Negotiate() Basic(realm=a)")]
    [InlineData("Negotiate YIIB+/==, Basic realm=\"a\"", "Negotiate() Basic(realm=a)")]
    [InlineData("NTLM TlRMTVNTUAAB", "NTLM()")]
    [InlineData(" , ,Basic  realm = \"a\" ,, ", "Basic(realm=a)")]
    [InlineData("Basic", "Basic()")]
    [InlineData("Bearer realm=https://auth.corp/token?x=y,service=hub", "Bearer(realm=https://auth.corp/token?x=y;service=hub)")]
    [InlineData("Bearer realm=\"a\" service=\"b\"", "Bearer(realm=a;service=b)")]
    [InlineData("Bearer realm=\"a\",realm=\"b\"", "Bearer(realm=a)")]
    [InlineData("Bearer realm=\"\"", "Bearer(realm=)")]
    [InlineData("Bearer realm=\"a", "")]
    [InlineData("Basic realm=\"x\", Bearer realm=\"a", "Basic(realm=x)")]
    [InlineData("Bearer realm=\"a\\", "")]
    [InlineData("=", "")]
    [InlineData("\"", "")]
    [InlineData("", "")]
    [InlineData(",,,", "")]
    public void Each_form_of_the_header_is_understood(string header, string expected) => Text(Parse(header)).ShouldBe(expected);

    [Fact]
    public void Several_headers_are_like_one()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", "Basic realm=\"a");
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", "Bearer realm=\"b\"");
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", "Basic realm=\"c\"");

        Text(Challenge.Read(response)).ShouldBe("Bearer(realm=b) Basic(realm=c)");
    }

    [Fact]
    public void No_header_is_no_challenge()
    {
        using var response = new HttpResponseMessage();

        Challenge.Read(response).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_written_by_the_grammar_is_read_back_whatever_is_in_the_values()
    {
        var value = Gen.Elements("a\"\\ ,=\t;:/?é".ToCharArray()).ListOf().Select(chars => string.Concat(chars));
        var parameters = value.ListOf().Select(values => values.Take(4).ToList());
        var challenges = Gen.Zip(Gen.Elements("Basic", "bearer", "X-1"), parameters).ListOf();
        var separator = Gen.Elements(",", ", ", " , ", ",\t,");

        Check.QuickThrowOnFailure(Prop.ForAll(Gen.Zip(challenges, separator).ToArbitrary(), it =>
        {
            var (written, between) = it;
            var header = string.Join(between, written.Select(c => $"{c.Item1} {string.Join(between, c.Item2.Select((v, i) => $"p{i}={Quote(v)}"))}".TrimEnd()));
            var expected = string.Join(' ', written.Select(c => $"{c.Item1}({string.Join(';', c.Item2.Select((v, i) => $"p{i}={v}"))})"));
            Text(Parse(header)).ShouldBe(expected);
        }));
    }

    [Fact]
    public void Nothing_makes_it_throw_or_stand_still()
    {
        var noise = Gen.Elements("aB9 \t,=\"\\-/é\0".ToCharArray()).ListOf().Select(chars => string.Concat(chars));

        Check.QuickThrowOnFailure(Prop.ForAll(noise.ToArbitrary(), text => Parse(text).Count.ShouldBeLessThanOrEqualTo(text.Length)));
    }

    [Fact]
    public void A_header_as_large_as_they_may_be_is_read_once()
    {
        Parse("Basic " + new string('a', 64 * 1024) + " x").Count.ShouldBe(2);
        Parse(string.Concat(Enumerable.Repeat("a b", 20_000))).Count.ShouldBeLessThanOrEqualTo(60_000);
        Parse("Bearer realm=\"" + string.Concat(Enumerable.Repeat("\\\"", 32 * 1024)) + "\"").ShouldHaveSingleItem();
    }

    private static List<Challenge> Parse(string header) => new ChallengeReader(header).Read();

    private static string Quote(string value) => $"\"{value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";

    private static string Text(IEnumerable<Challenge> challenges) =>
        string.Join(' ', challenges.Select(c => $"{c.Scheme}({string.Join(';', c.Parameters.Select(p => $"{p.Key}={p.Value}"))})"));
}
