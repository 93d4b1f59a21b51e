using System.Globalization;

namespace ImageCriShim.Benchmarks;

/// <param name="Rounds">How often everything is measured.</param>
/// <param name="Json">A file for machines; "-" is standard output, in place of the table; null for none.</param>
internal sealed record BenchOptions(int Rounds, string? Json)
{
    private const int DefaultRounds = 5;

    internal const string Usage = """
        ./build bench [--rounds N] [--json FILE]
          --rounds N    measure everything N times (5); each figure is the median over the rounds
          --json FILE   write every figure of every round there as well; - writes it to standard output instead of the table
        """;

    /// <returns>Null where the arguments are not understood.</returns>
    internal static BenchOptions? TryParse(ReadOnlySpan<string> args)
    {
        var options = new BenchOptions(DefaultRounds, Json: null);
        for (; args is [var name, var value, ..]; args = args[2..])
        {
            if (name == "--json")
                options = options with { Json = value };
            else if (name == "--rounds" && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds > 0)
                options = options with { Rounds = rounds };
            else
                return null;
        }

        return args.IsEmpty ? options : null;
    }
}
