using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests;

/// <summary>docs/LIMITS.md says of every bound in the source what it is, and of none that is not there.</summary>
public sealed partial class LimitsTableTests
{
    // Bounds that everything has: RelayLimits, whatever is called Max..., and these.
    private static readonly string[] s_others = ["ShimSocket.Backlog", "LogRate.Burst", "LogRate.PerSecond"];

    // Called Max..., but no bound on what others may want of us.
    private static readonly string[] s_noBounds =
    [
        "Frames.MaxPayload", // what we send
        "FrameWriter.MaxUnwaited", // of a kernel's buffer
        "GrpcTimeout.MaxDigits", // a grammar's
        "ManifestIndex.MaxWord", // of a line that is cut as a whole
        "Registry.MaxPriority", // a setting's range
        "Shorten.MaxRuntimeText", // of an error that is bounded as a whole
    ];

    private static readonly Dictionary<string, string> s_rows = File.ReadLines(Path.Combine(Repository.Root, "docs/LIMITS.md"))
        .Select(line => Row().Match(line)).Where(row => row.Success)
        .ToDictionary(row => row.Groups["constant"].Value, row => row.Groups["bound"].Value);

    [Fact]
    public void Every_bound_of_the_source_is_in_the_table() =>
        Bounds().Select(NameOf).Except(s_rows.Keys).ShouldBeEmpty("add a row to docs/LIMITS.md: what it is, what happens there, why");

    [Fact]
    public void Every_row_of_the_table_is_of_a_bound_and_says_what_it_is()
    {
        s_rows.Keys.Except(Bounds().Select(NameOf)).ShouldBeEmpty("there is no such constant any more");
        var wrong = from bound in Bounds()
                    let said = s_rows[NameOf(bound)]
                    where !Texts(bound).Any(text => Regex.IsMatch(said, $@"(?<!\d){text}(?!\d)"))
                    select $"{NameOf(bound)} is {bound.GetRawConstantValue()}, not {said}";
        wrong.ShouldBeEmpty();
    }

    private static IEnumerable<FieldInfo> Bounds() =>
        from type in typeof(RelayLimits).Assembly.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where field.IsLiteral && (field.FieldType == typeof(int) || field.FieldType == typeof(long))
        let name = NameOf(field)
        where type.Namespace!.StartsWith(nameof(ImageCriShim), StringComparison.Ordinal)
        where type == typeof(RelayLimits) || field.Name.StartsWith("Max", StringComparison.Ordinal) || s_others.Contains(name)
        where !s_noBounds.Contains(name)
        select field;

    private static string NameOf(FieldInfo field) => $"{field.DeclaringType!.Name.Split('`')[0]}.{field.Name}";

    private static IEnumerable<string> Texts(FieldInfo bound)
    {
        const long kibi = 1024;
        var value = Convert.ToInt64(bound.GetRawConstantValue(), CultureInfo.InvariantCulture);
        yield return $"{value}";
        if (bound.Name.EndsWith("Kilobytes", StringComparison.Ordinal))
            yield return $"{value} KiB";
        if (value % kibi == 0)
            yield return $"{value / kibi} KiB";
        if (value % (kibi * kibi) == 0)
            yield return $"{value / kibi / kibi} MiB";
    }

    // | what | bound | what happens there | why | `Type.Constant` |
    [GeneratedRegex(@"^\| [^|]+ \| (?<bound>[^|]+) \| [^|]+ \| [^|]+ \| `(?<constant>\w+\.\w+)` \|$")]
    private static partial Regex Row();
}
