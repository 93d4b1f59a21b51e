using System.CommandLine;
using ImageCriShim.Configuration;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim config import</c>: the settings of whatever was there before, in ours, on standard output. Standard error says what to
/// look at, and no secret.
/// </summary>
internal static class ImportCommand
{
    private const int Ok = 0;
    private const int NothingRead = 1;

    public static Command Make()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "containerd's config.toml or certs.d, docker's daemon.json, or the files of a Go shim.",
            Arity = ArgumentArity.OneOrMore,
        };
        var import = new Command(
            "import",
            "Write settings that come to the same as mirrors of containerd or docker, or as the files of a Go shim. Example: image-cri-shim config import /etc/containerd/certs.d > new.yaml")
        {
            files,
        };
        import.SetAction(parsed => Run(parsed.GetValue(files)!));
        return import;
    }

    private static int Run(string[] paths)
    {
        var read = new ImportedFiles();
        var reports = paths.Select(path => (Path: path, Report: new ConfigReport(Path.GetFileName(path)))).ToList();
        foreach (var (path, report) in reports)
            read.Read(path, report);
        List<string> problems = [.. reports.SelectMany(one => one.Report.Problems)];
        if (problems.Count == 0 && read.Shim is null && read.Registries.Count == 0 && read.ShimRegistries.Count == 0)
            problems.Add($"{string.Join(", ", paths)}: no registry is named there");
        foreach (var line in problems.Concat(reports.SelectMany(one => one.Report.Warnings)))
            Console.Error.WriteLine(line);
        if (problems.Count > 0)
            return NothingRead; // half of it would look like all of it

        var text = new ImportedText();
        Console.Out.Write(text.Write(read));
        if (text.HoldsSecrets)
            Console.Error.WriteLine("it holds secrets: let nobody else read the file (chmod 600)");
        Console.Error.WriteLine("look at what it comes to with image-cri-shim config check FILE, and config show -f FILE");
        return Ok;
    }
}
