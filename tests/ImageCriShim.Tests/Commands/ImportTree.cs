using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Commands;

/// <summary>
/// Files of another program, as <c>Commands/imports/NAME.tree</c> holds them: <c>$</c> the command, <c>=</c> images that they are for, <c>!</c> the versions of
/// containerd that they are for, <c>--- path</c> each file.
/// <c>{a}</c> to <c>{o}</c> are hosts, <c>{dir}</c> is the directory, and a line <c>@ca</c>, <c>@cert</c> or <c>@key</c> is PEM.
/// </summary>
internal sealed class ImportTree
{
    public static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Commands", "imports");

    private readonly string[] _lines;

    private ImportTree(string name) => _lines = File.ReadAllLines(Path.Combine(Folder, $"{name}.tree"));

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.tree").Select(file => Path.GetFileNameWithoutExtension(file)).Order();

    public string[] Arguments => Lines("$ config import ").Single().Split(' ');

    public string[] Images => [.. Lines("= ")];

    /// <summary>The versions of containerd that go by such files.</summary>
    public string[] Containerds => Lines("! containerd ").SingleOrDefault()?.Split(' ') ?? ["1.7", "2"];

    public static ImportTree Read(string name) => new(name);

    /// <param name="directory">Where the files are to lie.</param>
    /// <param name="replace">Puts hosts into them.</param>
    public void Write(string directory, Func<string, string> replace)
    {
        using var authority = new FakeAuthority();
        using var certificate = authority.IssueForClient("node-1");
        var key = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        StreamWriter? file = null;
        foreach (var line in _lines.SkipWhile(line => !line.StartsWith("--- ")))
        {
            if (line.StartsWith("--- "))
            {
                file?.Dispose();
                var path = Path.Combine(directory, replace(line[4..]));
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                file = File.CreateText(path);
                continue;
            }

            file!.WriteLine(line switch
            {
                "@ca" => authority.Pem,
                "@cert" => certificate.ExportCertificatePem(),
                "@key" => key,
                _ => replace(line).Replace("{dir}", directory),
            });
        }

        file?.Dispose();
    }

    private IEnumerable<string> Lines(string start) => _lines.TakeWhile(line => !line.StartsWith("--- ")).Where(line => line.StartsWith(start)).Select(line => line[start.Length..]);
}
