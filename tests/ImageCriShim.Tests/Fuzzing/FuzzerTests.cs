using System.Text;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>A fuzzer that finds nothing must be one that would have found something.</summary>
public sealed class FuzzerTests
{
    [Fact]
    public void What_one_word_breaks_is_found_and_cut_down_to_it()
    {
        var finding = Should.Throw<FuzzFinding>(() => Fuzz(
            input => input.AsSpan().IndexOf("word"u8) < 0 ? "fine" : throw new InvalidOperationException(),
            ["something long to begin with"], ["a", "word", "b"], seed: 1));

        Encoding.ASCII.GetString(finding.Input).ShouldBe("word");
        finding.Message.ShouldContain("seed 1");
        finding.Message.ShouldContain("77 6f 72 64"); // as it goes into a .hex file
    }

    [Fact]
    public void What_lies_behind_many_steps_is_reached_because_each_of_them_behaves_newly() =>
        Encoding.ASCII.GetString(Should.Throw<FuzzFinding>(() => Fuzz(StepByStep, ["a"], [], seed: 2)).Input).ShouldBe("deep-inside");

    [Fact]
    public void The_same_seed_finds_the_same()
    {
        var inputs = Enumerable.Range(0, 2).Select(_ => Should.Throw<FuzzFinding>(() => Fuzz(
            input => input.Length < 60 ? $"{input.Length}" : throw new InvalidOperationException(), ["seed"], [], seed: 3)).Message).ToArray();

        inputs[0].ShouldBe(inputs[1]);
    }

    [Fact]
    public void A_file_of_digits_holds_text_and_comments_as_well() =>
        CorpusFile.Parse("00 01ff # not 02\n\"PRI # \" 0d0a\n# \"no\"\n").ShouldBe([0, 1, 255, .. "PRI # "u8, 13, 10]);

    private static string StepByStep(byte[] input)
    {
        var steps = "deep-inside"u8.CommonPrefixLength(input);
        return steps < "deep-inside"u8.Length ? $"{steps}" : throw new InvalidOperationException();
    }

    private static void Fuzz(Func<byte[], string> take, string[] corpus, string[] words, int seed) => new Fuzzer(
        take, (mutator, input, other) => mutator.Mutate(input, other), [.. corpus.Select(Encoding.ASCII.GetBytes)],
            [.. words.Select(Encoding.ASCII.GetBytes)], seed)
        .Run(TimeSpan.FromMinutes(2)); // at most: it ends with the finding
}
