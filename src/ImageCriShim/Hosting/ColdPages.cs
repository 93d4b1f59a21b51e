using System.Globalization;
using System.Runtime.InteropServices;
using ImageCriShim.Concurrency;

namespace ImageCriShim.Hosting;

/// <summary>
/// Gives back what the kernel keeps in our memory of the program file, soon after the start and again and again: most of it was needed to
/// start, or once. What is needed again comes back from the page cache (docs/decisions/0010-give-cold-pages-back.md).
/// </summary>
internal sealed partial class ColdPages : IDisposable
{
    private const int DontNeed = 4; // MADV_DONTNEED

    private static readonly TimeSpan s_afterStart = TimeSpan.FromMilliseconds(200); // when the first callers have come
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15); // each takes a millisecond

    private static readonly string s_program = Environment.ProcessPath ?? "";

    private readonly ITimer _timer;

    internal ColdPages(TimeProvider time) => _timer = Background.CreateTimer("giving back cold pages", time, GiveBack, s_afterStart, s_interval);

    public void Dispose() => _timer.Dispose();

    /// <summary>
    /// What nobody can write to and of which there is nothing but what is in the file (proc_pid_smaps(5)): code, and what else is of the program
    /// file itself. These stay where they are for as long as the process lives; of anything else something new may be at its place by the time it
    /// is given back.
    /// </summary>
    internal static IEnumerable<Mapping> Find(IEnumerable<string> smaps, string program)
    {
        Mapping? current = null;
        foreach (var line in smaps)
        {
            if (Mapping.Parse(line, program) is { } next)
            {
                if (current is { IsClean: true })
                    yield return current;
                current = next;
            }
            else if (current is not null && IsOwnCopy(line))
            {
                current.IsClean = false;
            }
        }

        if (current is { IsClean: true })
            yield return current;
    }

    private static bool IsOwnCopy(string line) =>
        (line.StartsWith("Anonymous:", StringComparison.Ordinal) || line.StartsWith("Swap:", StringComparison.Ordinal))
        && !line.EndsWith(" 0 kB", StringComparison.Ordinal);

    /// <summary>Never throws: it is of use, not of need.</summary>
    internal static void GiveBack()
    {
        try
        {
            foreach (var mapping in Find(File.ReadLines("/proc/self/smaps"), s_program))
                _ = Advise((nint)mapping.Begin, (nuint)(mapping.End - mapping.Begin), DontNeed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc, or no descriptor is left: they stay.
        }
    }

    [LibraryImport(LibC.Name, EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint address, nuint length, int advice);

    internal sealed class Mapping
    {
        public ulong Begin { get; private init; }

        public ulong End { get; private init; }

        /// <summary>Until a line of the mapping says otherwise.</summary>
        public bool IsClean { get; set; }

        /// <summary><c>7f01c000-7f02d000 r-xp 00000000 08:01 1234  /usr/bin/image-cri-shim</c>; null for all other lines.</summary>
        public static Mapping? Parse(string line, string program)
        {
            var (dash, space) = (line.IndexOf('-'), line.IndexOf(' '));
            if (dash <= 0 || space < dash
                || !ulong.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var begin)
                || !ulong.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
                || line.Length < space + 5)
                return null;
            var file = line.IndexOf('/') is var at and >= 0 ? line.AsSpan(at) : "";
            var stays = line.AsSpan(space + 1, 4) switch
            {
                "r-xp" => !file.IsEmpty,
                "r--p" => file.SequenceEqual(program),
                _ => false,
            };
            return new Mapping { Begin = begin, End = end, IsClean = stays };
        }
    }
}
