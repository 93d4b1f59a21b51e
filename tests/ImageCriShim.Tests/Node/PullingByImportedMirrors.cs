using ImageCriShim.Configuration;
using ImageCriShim.Tests.Commands;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// A real containerd is asked for images by the mirrors of its own, and behind a shim with the settings that <c>config import</c> makes of them: they come from
/// the same places, and nobody is asked who was not before.
/// </summary>
[Trait("suite", "node")]
public sealed class PullingByImportedMirrors : IAsyncLifetime
{
    private const string Letters = "abcdo";

    private readonly Lab _lab = Lab.Make();
    private readonly TempDirectory _directory = new();
    private readonly FakeMirrors _mirrors = new(Letters);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        await _mirrors.DisposeAsync();
        _directory.Dispose();
    }

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var (name, tree) in ImportTree.Names.Select(name => (name, ImportTree.Read(name))).Where(entry => entry.Item2.Images.Length > 0))
        {
            foreach (var containerd in tree.Containerds)
                cases.Add(containerd, name);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Images_come_from_where_they_came_before(string containerd, string name)
    {
        var tree = ImportTree.Read(name);
        var socket = await StartContainerd(containerd, tree);
        var settings = Import(tree);
        await using var direct = await CriCaller.Connect(socket);
        foreach (var image in tree.Images.Select(_mirrors.Fill))
        {
            var order = await Pull(direct, image, ""); // in which order hosts are asked for what none of them has
            var letters = string.Concat(order.All.Where(request => request.Manifest is not null).Select(request => request.Registry).Distinct());
            letters.ShouldNotBeEmpty($"{image} is asked for out in the world");
            var had = new List<MirrorRequests> { order };
            for (var first = 0; first < letters.Length; first++)
                had.Add(await Pull(direct, image, letters[first..]));

            await using var shim = await ShimOnNode.Start(socket, $"{settings}cache: {{imageCacheSize: 0}}\n");
            for (var first = -1; first < letters.Length; first++)
            {
                var having = first < 0 ? "" : letters[first..];
                var now = await Pull(shim.Caller, image, having);
                now.SourcesAmong(having).ShouldBe(had[first + 1].SourcesAmong(having), $"{image}, which these have: {having}\n{settings}");
                foreach (var told in now.Told)
                    order.All.Concat(had[^1].All).Select(request => request.Whole).ShouldContain(told, settings);
                if (first < 0)
                    now.Asked.ShouldBe(order.Asked, settings);
            }
        }
    }

    private async Task<MirrorRequests> Pull(CriCaller caller, string name, string letters)
    {
        var image = TestImage.Make();
        var asked = name.Replace("{digest}", image.Digest);
        _mirrors.Serve(image, letters);
        var marks = _mirrors.Mark();
        var answer = await caller.Pull(asked);
        (answer.Code == GrpcCode.Ok).ShouldBe(letters.Length > 0, answer.Message);
        var requests = _mirrors.Since(marks);
        if (letters.Length > 0)
            await caller.Remove(asked);
        return requests with { All = [.. requests.All.Select(request => request with { Request = request.Request with { Path = request.Request.Path.Replace(image.Digest, "DIGEST") } })] };
    }

    private async Task<string> StartContainerd(string version, ImportTree tree)
    {
        Assert.SkipUnless((await Lab.Run("versions")).Split('\n').Any(line => line.StartsWith($"{version} ")), $"containerd {version} could not be installed");
        var socket = await Lab.Run("containerd", "start", _lab.Directory, version, "127.0.0.1:1/pause:1");
        var home = Path.GetDirectoryName(socket)!;
        tree.Write(_directory.Path, _mirrors.Fill);
        var (mirrors, certificates) = (_directory.File("config.toml"), _directory.File("certs.d"));
        if (File.Exists(mirrors))
            await Restart(home, File.ReadAllText(mirrors), version);
        else
            Directory.CreateSymbolicLink(Path.Combine(home, "certs.d"), certificates);
        return socket;
    }

    /// <summary>With mirrors in place of the directory of hosts.</summary>
    private async Task Restart(string home, string mirrors, string version)
    {
        var (file, plugin) = (Path.Combine(home, "config.toml"), version == "2" ? "io.containerd.cri.v1.images" : "io.containerd.grpc.v1.cri");
        var lines = File.ReadAllLines(file).Where(line => !line.Contains("config_path"));
        var added = mirrors.Split('\n').Where(line => !line.StartsWith("version")).Select(line => line.Replace("io.containerd.grpc.v1.cri", plugin));
        File.WriteAllLines(file, lines.Concat(added));
        await Lab.Run("containerd", "stop", _lab.Directory);
        await Lab.Run("containerd", "resume", _lab.Directory);
    }

    /// <summary>What the command says to tell the runtime of is told.</summary>
    private string Import(ImportTree tree)
    {
        var (files, report) = (new ImportedFiles(), new ConfigReport(tree.Arguments[0]));
        files.Read(_directory.File(tree.Arguments[0]), report);
        var written = new ImportedText().Write(files);
        report.Problems.Concat(report.Losses).ShouldBeEmpty();
        foreach (var host in report.Notes.Select(note => note.Split("give it an entry for ")[1].Split(' ')[0]))
            RealNode.WriteHosts(Path.Combine(_directory.Path, "certs.d", host), $"http://{host}");
        return written;
    }
}
