using ImageCriShim.Commands;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Installation;

/// <summary>A node's files below a directory, on which install and uninstall are run.</summary>
public sealed class InstalledNode : IDisposable
{
    private readonly TempDirectory _directory = new(inMemory: true);

    public InstalledNode()
    {
        Directory.CreateDirectory(Root);
        foreach (var directory in (string[])["/etc/systemd/system", "/usr/bin", "/var/lib"])
            Directory.CreateDirectory(Root + directory);
        File.WriteAllBytes(Program, [0x7f, (byte)'E', (byte)'L', (byte)'F', 0, 1]);
    }

    public string Root => _directory.File("root");

    /// <summary>What is installed as our program.</summary>
    private string Program => _directory.File("image-cri-shim");

    public string Beside(string name) => _directory.File(name);

    /// <summary>The lines of a file beside the node, which is removed; none where there is no file.</summary>
    public string[] TakeLines(string name)
    {
        var lines = File.Exists(Beside(name)) ? File.ReadAllLines(Beside(name)) : [];
        File.Delete(Beside(name));
        return lines;
    }

    public void Dispose() => _directory.Dispose();

    public void Write(string path, string text, UnixFileMode mode = FileState.Public)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Root + path)!);
        File.WriteAllText(Root + path, text);
        File.SetUnixFileMode(Root + path, mode);
        File.SetLastWriteTimeUtc(Root + path, new DateTime(2024, 2, 29, 12, 0, 1, DateTimeKind.Utc)); // long ago, so that it is seen when it is lost
    }

    public void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Root + path)!);
        File.CreateSymbolicLink(Root + path, target);
    }

    public string Read(string path) => File.ReadAllText(Root + path);

    public bool Has(string path) => Path.Exists(Root + path);

    internal Outcome Install(InstallMode mode = InstallMode.Yes, string? cri = null, string? address = null, string? authFile = null, Action<string>? beforeStep = null, Systemd? systemd = null, string? answer = null) =>
        Outcome.Of(mode, answer, console => new InstallCommand(new NodeFiles(Root), systemd ?? new Systemd(isRunning: false), console, beforeStep).Run(new InstallWish(Program, cri, address, authFile)));

    internal Outcome Uninstall(InstallMode mode = InstallMode.Yes, Action<string>? beforeStep = null, Systemd? systemd = null) =>
        Outcome.Of(mode, answer: null, console => new UninstallCommand(new NodeFiles(Root), systemd ?? new Systemd(isRunning: false), console, beforeStep).Run());

    /// <summary>Everything that can be seen of the files: a line each.</summary>
    /// <param name="withTimes">When each was written, too.</param>
    /// <param name="without">What is in that directory is left out; sockets cannot be read.</param>
    public IReadOnlyList<string> Look(bool withTimes = true, string? without = null) =>
    [
        .. from entry in Below(new DirectoryInfo(Root))
           let path = entry.FullName[Root.Length..]
           where without is null || !path.StartsWith($"{without}/", StringComparison.Ordinal)
           orderby path
           select entry switch
           {
               { LinkTarget: { } target } => $"{path} -> {target}",
               DirectoryInfo => $"{path}/ {entry.UnixFileMode}",
               _ => $"{path} {entry.UnixFileMode} {(withTimes ? $"{entry.LastWriteTimeUtc:O}" : "")} {Convert.ToHexString(File.ReadAllBytes(entry.FullName))}",
           },
    ];

    // Not through links, which lead out of the node.
    private static IEnumerable<FileSystemInfo> Below(DirectoryInfo directory) => directory.EnumerateFileSystemInfos()
        .SelectMany(entry => entry is DirectoryInfo { LinkTarget: null } below ? Below(below).Prepend(entry) : [entry]);
}

/// <summary>What a command came to.</summary>
internal sealed record Outcome(int Code, string Output, string Errors)
{
    public static Outcome Of(InstallMode mode, string? answer, Func<InstallConsole, int> run)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        using var answers = answer is null ? null : new StringReader(answer);
        var code = run(new InstallConsole(mode, output, errors, answers));
        return new Outcome(code, $"{output}", $"{errors}");
    }
}
