using System.Globalization;

namespace ImageCriShim.Benchmarks;

/// <param name="Rounds">How often everything is measured.</param>
/// <param name="Only">What is measured: what has this text in its name; empty for everything.</param>
/// <param name="Json">A file for machines; "-" is standard output, in place of the table; null for none.</param>
internal sealed record BenchOptions(int Rounds, string Only, string? Json)
{
    private const int DefaultRounds = 5;

    internal const string Usage = """
        ./build bench [--rounds N] [--only TEXT] [--json FILE]
          --rounds N    measure everything N times (5); each figure is the median over the rounds
          --only TEXT   only what has this text in its name, such as ImageStatus
          --json FILE   write every figure of every round there as well; - writes it to standard output instead of the table
        """;

    /// <returns>Null where the arguments are not understood.</returns>
    internal static BenchOptions? TryParse(ReadOnlySpan<string> args)
    {
        var options = new BenchOptions(DefaultRounds, Only: "", Json: null);
        for (; args is [var name, var value, ..]; args = args[2..])
        {
            if (name == "--json")
                options = options with { Json = value };
            else if (name == "--only")
                options = options with { Only = value };
            else if (name == "--rounds" && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds > 0)
                options = options with { Rounds = rounds };
            else
                return null;
        }

        return args.IsEmpty ? options : null;
    }
}
