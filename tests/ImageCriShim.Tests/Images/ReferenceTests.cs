using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Images;

namespace ImageCriShim.Tests.Images;

public sealed partial class ReferenceTests
{
    private const string Malformed = "malformed";

    public static TheoryData<string> Corpus()
    {
        var lines = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Images", "references.txt"));
        return [.. lines.Where(line => line.Contains(" -> ") && !line.StartsWith('#'))];
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void A_name_parses_as_the_corpus_says(string line)
    {
        var (input, expected) = (Fill(line[..line.IndexOf(" -> ")]), Fill(line[(line.IndexOf(" -> ") + 4)..]));

        var actual = Reference.TryParse(input, out var parsed)
            ? $"{parsed.Domain} {parsed.Repository} {parsed.Tag ?? "-"} {parsed.Digest ?? "-"}"
            : Malformed;

        actual.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void What_is_printed_parses_to_the_same(string line)
    {
        if (Reference.TryParse(Fill(line[..line.IndexOf(" -> ")]), out var parsed))
            ShouldSurvivePrinting(parsed);
    }

    [Fact]
    public void Any_name_that_parses_prints_and_parses_to_the_same() =>
        Check.QuickThrowOnFailure(Prop.ForAll(Names().ToArbitrary(), text =>
        {
            if (Reference.TryParse(text, out var parsed))
                ShouldSurvivePrinting(parsed);
        }));

    [Fact]
    public void Any_text_at_all_is_parsed_or_refused_without_an_exception() =>
        Check.QuickThrowOnFailure(Prop.ForAll<string?>(text => Reference.TryParse(text ?? "", out _) || true));

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest")]
    [InlineData("nginx:1.25", "docker.io/library/nginx:1.25")]
    [InlineData("registry-1.docker.io/nginx", "docker.io/library/nginx:latest")]
    [InlineData("quay.io/team/app", "quay.io/team/app:latest")]
    public void A_name_prints_as_the_runtime_would_normalise_it(string given, string printed)
    {
        Reference.TryParse(given, out var parsed).ShouldBeTrue();
        parsed.ToString().ShouldBe(printed);
    }

    [Fact]
    public void With_a_tag_and_a_digest_both_are_kept_and_the_digest_decides()
    {
        var digest = Fill("{sha256}");

        Reference.TryParse($"nginx:1.25@{digest}", out var parsed).ShouldBeTrue();

        parsed.ToString().ShouldBe($"docker.io/library/nginx:1.25@{digest}");
        parsed.Version.ShouldBe(digest);
    }

    private static void ShouldSurvivePrinting(Reference parsed)
    {
        Reference.TryParse(parsed.ToString(), out var again).ShouldBeTrue();
        again.ToString().ShouldBe(parsed.ToString());
        again.Version.ShouldBe(parsed.Version);
    }

    /// <summary>Mostly well-formed names, with enough odd parts to reach every branch.</summary>
    private static Gen<string> Names()
    {
        var host = Gen.Elements("", "docker.io/", "index.docker.io/", "localhost/", "localhost:5000/", "a.b/", "A/", "[::1]:5000/", "[::1]/", "x:1/", "-/");
        var part = Gen.Elements("a", "nginx", "a.b", "a__b", "a--b", "a_b", "0", "A", "a_", "", "library");
        var path = part.NonEmptyListOf().Select(parts => string.Join('/', parts));
        var tag = Gen.Elements("", ":1", ":latest", ":_x", ":V1.2", ":", ":-");
        var digest = Gen.Elements("", "", "@" + Fill("{sha256}"), "@" + Fill("{sha512}"), "@sha256:12");
        return from h in host from p in path from t in tag from d in digest select h + p + t + d;
    }

    private static string Fill(string text)
    {
        var filled = text.Replace("{sha256}", "sha256:{4*64}").Replace("{sha384}", "sha384:{b*96}").Replace("{sha512}", "sha512:{7*128}");
        return Repetition().Replace(filled, m => new string(m.Groups[1].Value[0], int.Parse(m.Groups[2].Value)));
    }

    [GeneratedRegex(@"\{(\w)\*(\d+)\}")]
    private static partial Regex Repetition();
}
