using System.Collections;
using System.Text;

namespace ImageCriShim.Handover;

/// <summary>The program that this process was started from, as it lies on the disk now: an upgrade replaces the file.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Arguments">Those that this process was started with; the first is the program's name.</param>
internal sealed record ProgramFile(string Path, IReadOnlyList<string> Arguments)
{
    private const string Running = "/proc/self/exe";

    /// <summary>By the name that it was started by (a link to it may have been changed), where that is a path.</summary>
    public static ProgramFile Find()
    {
        var arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).TrimEnd('\0').Split('\0');
        return new(System.IO.Path.IsPathRooted(arguments[0]) ? arguments[0] : Environment.ProcessPath!, arguments);
    }

    /// <summary>Whether another file lies there than the one that runs.</summary>
    public bool IsChanged => FileIdentity.Find(Path) is { } found && !found.IsSameFile(FileIdentity.Find(Running));

    /// <summary>The environment of this process, of the form <c>NAME=value</c>.</summary>
    public static IEnumerable<string> Variables() =>
        from DictionaryEntry variable in Environment.GetEnvironmentVariables() select $"{variable.Key}={variable.Value}";
}
