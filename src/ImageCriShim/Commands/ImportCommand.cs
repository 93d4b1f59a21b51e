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
    private const int NotAsBefore = 3;

    public static Command Make()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "containerd's config.toml or certs.d, registries.yaml of k3s or RKE2, CRI-O's registries.conf, docker's daemon.json, "
                + "or the files of a Go shim.",
            Arity = ArgumentArity.OneOrMore,
        };
        var partial = new Option<bool>("--partial")
        {
            Description = "Write what can be said although images may come from elsewhere than before; standard error names each reason.",
        };
        var import = new Command(
            "import",
            "Write settings that come to the same as mirrors of containerd, k3s, RKE2, CRI-O or docker, or as the files of a Go shim. "
                + "Example: image-cri-shim config import /etc/containerd/certs.d > new.yaml")
        {
            files,
            partial,
        };
        import.SetAction(parsed => Run(parsed.GetValue(files)!, parsed.GetValue(partial)));
        return import;
    }

    private static int Run(string[] paths, bool isPartial)
    {
        var read = new ImportedFiles();
        var reports = paths.Select(path => (Path: path, Report: new ConfigReport(Path.GetFileName(path.TrimEnd('/'))))).ToList();
        foreach (var (path, report) in reports)
            read.Read(path, report);
        var isNothing = read.Shim is null && read.Registries.Count == 0 && read.ShimRegistries.Count == 0;
        var text = new ImportedText();
        var written = text.Write(read);
        List<string> problems = [.. reports.SelectMany(one => one.Report.Problems)];
        List<string> losses = [.. reports.SelectMany(one => one.Report.Losses)];
        if (problems.Count == 0 && isNothing)
            problems.Add($"{string.Join(", ", paths)}: no registry is named there");
        var others = reports.SelectMany(one => one.Report.Warnings).Concat(reports.SelectMany(one => one.Report.Notes));
        foreach (var line in problems.Concat(losses).Concat(others))
            Console.Error.WriteLine(line);
        if (problems.Count > 0)
            return NothingRead; // half of it would look like all of it
        if (losses.Count == 0 || isPartial)
            return Write(text, written);
        Console.Error.WriteLine("images may come from elsewhere than before; to have what can be said all the same: config import --partial");
        return NotAsBefore;
    }

    private static int Write(ImportedText text, string written)
    {
        Console.Out.Write(written);
        if (text.HoldsSecrets)
            Console.Error.WriteLine("it holds secrets: let nobody else read the file (chmod 600)");
        Console.Error.WriteLine("look at what it comes to with image-cri-shim config check FILE, and config show -f FILE");
        return Ok;
    }
}
