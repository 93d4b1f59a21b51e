using System.Globalization;
using System.Text;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// An input in <c>Fuzzing/corpus/TARGET/</c>, beside this file. <c>NAME.hex</c> holds octets as hexadecimal digits, text in quotes, and comments
/// behind <c>#</c>; any other file is the input as it is.
/// </summary>
internal static class CorpusFile
{
    internal static IReadOnlyList<string> All(string target) =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "tests/ImageCriShim.Tests/Fuzzing/corpus", target)).Order(StringComparer.Ordinal)];

    internal static byte[] Read(string path) => path.EndsWith(".hex", StringComparison.Ordinal)
        ? Parse(File.ReadAllText(path)) : File.ReadAllBytes(path);

    internal static byte[] Parse(string text)
    {
        var octets = new List<byte>();
        foreach (var line in text.Split('\n'))
        {
            foreach (var (number, part) in line.Split('"').Index())
            {
                var isText = number % 2 == 1;
                var comment = isText ? -1 : part.IndexOf('#');
                if (isText)
                    octets.AddRange(Encoding.UTF8.GetBytes(part));
                else
                    octets.AddRange(Convert.FromHexString(string.Concat((comment < 0 ? part : part[..comment]).Where(c => !char.IsWhiteSpace(c)))));
                if (comment >= 0)
                    break;
            }
        }

        return [.. octets];
    }

    /// <summary>For a report: as text where it is one, and always as what goes into a <c>.hex</c> file.</summary>
    internal static string Print(byte[] input)
    {
        const int shown = 2000;
        var hex = string.Join(' ', input.Take(shown).Select(octet => octet.ToString("x2", CultureInfo.InvariantCulture)));
        var text = Encoding.Latin1.GetString(input.AsSpan(0, Math.Min(input.Length, shown)));
        return text.All(c => c is >= ' ' and < '\x7F' or '\n') ? $"{hex}\n{text}" : hex;
    }
}
