using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ImageCriShim.Tests;

/// <summary>The rules of the house that a reviewer would otherwise have to watch. They are read from the source itself.</summary>
public sealed partial class ArchitectureTests
{
    private const int MaxLines = 300;
    private const int MaxInterfaces = 2;

    // A folder and what it may know. Dependencies run one way.
    private static readonly Dictionary<string, string[]> s_layers = new()
    {
        ["Concurrency"] = [],
        ["Metrics"] = [],
        ["Images"] = [],
        ["Registries"] = ["Concurrency", "Images", "Metrics"],
        ["Configuration"] = ["Registries", "Images"],
        ["Rewriting"] = ["Registries", "Images", "Configuration"],
        ["Relay"] = ["Concurrency", "Metrics"],
        ["Cri"] = ["Concurrency", "Relay", "Rewriting", "Registries", "Images", "Configuration", "Metrics"],
        ["Hosting"] = ["Concurrency", "Relay"],
        ["Handover"] = ["Concurrency", "Hosting", "Rewriting"],
        ["Installation"] = ["Hosting", "Registries", "Configuration"],
        ["Inspection"] = ["Installation", "Cri", "Hosting", "Relay", "Registries", "Images", "Configuration"],
        ["Commands"] = ["Inspection", "Installation", "Rewriting", "Registries", "Images", "Configuration", "Hosting"],
    };

    private static readonly string[] s_roots = ["CommandLine.cs", "Program.cs", "ShimHost.cs", "CallRouting.cs", "Reload.cs", "LibC.cs", "ShimVersion.cs", "FileIdentity.cs", "RegularFile.cs", "Descriptors.cs", "DaemonPages.cs", "ProcessAge.cs", "Daemon.cs", "Draining.cs", "Succession.cs", "ServeOptions.cs", "StartError.cs", "JsonText.cs", "PrintableText.cs"];

    // Ids of log lines, by folder: operators search for them.
    private static readonly Dictionary<string, int> s_logRanges = new()
    {
        ["Relay"] = 1000,
        ["Cri"] = 1100,
        ["Hosting"] = 1200,
        ["Registries"] = 1300,
        ["Rewriting"] = 1400,
        ["Handover"] = 1500,
    };

    public static TheoryData<string> Folders => [.. s_layers.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_knows_only_what_the_table_allows(string folder)
    {
        var broken = from file in Sources()
                     where FolderOf(file) == folder
                     from known in Known(File.ReadAllText(file))
                     where known != folder && !s_layers[folder].Contains(known)
                     select $"{Relative(file)} knows {known}";
        broken.ShouldBeEmpty();
    }

    [Fact]
    public void Every_file_is_in_a_folder_of_the_table_or_a_root() =>
        Sources().Where(file => !s_layers.ContainsKey(FolderOf(file)) && !s_roots.Contains(Relative(file))).Select(Relative).ShouldBeEmpty();

    [Fact]
    public void Every_file_has_the_namespace_of_its_folder()
    {
        var wrong = from file in Sources()
                    let name = Namespace().Match(File.ReadAllText(file)).Groups[1].Value
                    let due = Path.GetDirectoryName(Path.Combine("ImageCriShim", Relative(file)))!.Replace('/', '.')
                    where Relative(file) != "Program.cs" && name != due
                    select $"{Relative(file)}: {name}";
        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Log_ids_are_unique_and_of_their_folders_range()
    {
        var ids = (from file in Sources()
                   from Match message in LogMessage().Matches(File.ReadAllText(file))
                   select (Folder: FolderOf(file), Id: int.Parse(message.Groups[1].Value))).ToList();
        ids.ShouldNotBeEmpty();
        ids.GroupBy(line => line.Id).Where(line => line.Count() > 1).Select(line => line.Key).ShouldBeEmpty();
        ids.Where(line => line.Id / 100 * 100 != s_logRanges.GetValueOrDefault(line.Folder)).ShouldBeEmpty();
    }

    [Fact]
    public void No_file_is_longer_than_a_reader_can_hold() =>
        Sources().Where(file => File.ReadLines(file).Count() > MaxLines).Select(Relative).ShouldBeEmpty();

    /// <summary>What it throws would end the process; RelayThreads guards its own.</summary>
    [Fact]
    public void Timers_threads_and_handlers_of_signals_are_begun_by_Background_alone() =>
        Sources().Where(file => Unguarded().IsMatch(File.ReadAllText(file))).Select(Relative).Order()
            .ShouldBe(["Concurrency/Background.cs", "Relay/RelayThreads.cs"]);

    [Fact]
    public void There_is_hardly_an_interface() =>
        Sources().Sum(file => Interface().Count(File.ReadAllText(file))).ShouldBeLessThanOrEqualTo(MaxInterfaces);

    // By a using, or by a qualified name such as Relay.StreamAnswer.
    private static IEnumerable<string> Known(string source)
    {
        var code = Comment().Replace(source, "");
        return from folder in s_layers.Keys
               where Regex.IsMatch(code, $@"\bImageCriShim\.{folder}\b|(?<![\w.]){folder}\.[A-Z]\w*")
               select folder;
    }

    private static string FolderOf(string file) => Relative(file).Split('/') is [var folder, _, ..] ? folder : "";

    private static string Relative(string file) => Path.GetRelativePath(Root(), file);

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Root(), "*.cs", SearchOption.AllDirectories)
        .Where(file => !Relative(file).StartsWith("bin/", StringComparison.Ordinal) && !Relative(file).StartsWith("obj/", StringComparison.Ordinal));

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../src/ImageCriShim"));

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(\d+),")]
    private static partial Regex LogMessage();

    [GeneratedRegex(@"(?<!Background)\.CreateTimer\(|new Timer\(|new Thread\(|PosixSignalRegistration\.Create\(|QueueUserWorkItem\(|async void")]
    private static partial Regex Unguarded();

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|file|partial)\s+)*interface\s", RegexOptions.Multiline)]
    private static partial Regex Interface();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
