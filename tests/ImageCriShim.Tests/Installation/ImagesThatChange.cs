using System.Security.Cryptography;
using ImageCriShim.Commands;
using ImageCriShim.Installation;

namespace ImageCriShim.Tests.Installation;

/// <summary>Who owns a directory of an image puts links into it while we work there: no file beside the image is read or changed.</summary>
public sealed class ImagesThatChange : IDisposable
{
    private const string Secret = "planted-outside-51c3";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly InstalledNode _node = new();
    private readonly DateTime _longAgo = new(2021, 3, 4, 5, 6, 7, DateTimeKind.Utc);
    private volatile bool _isOver;

    public ImagesThatChange()
    {
        File.WriteAllText(Outside, Secret);
        File.SetUnixFileMode(Outside, Private);
        File.SetLastWriteTimeUtc(Outside, _longAgo);
        _node.Write("/etc/image-cri-shim.yaml", "address: http://127.0.0.1:1\n");
    }

    private string Outside => _node.Beside("outside");

    public void Dispose() => _node.Dispose();

    [Fact]
    public void A_link_that_is_put_over_an_unfinished_file_is_not_followed()
    {
        var unfinished = $"{_node.Root}/etc/.x.conf.image-cri-shim-unfinished";
        for (var round = 0; round < 10; round++)
        {
            WriteManifest(_node.Beside("big"));
            WhileOneThread(() => Swap(unfinished), () => _node.Uninstall());
            ShouldBeAsItWas();
        }
    }

    [Fact]
    public void A_link_that_is_already_there_under_the_unfinished_name_is_not_followed()
    {
        _node.Link("/etc/.x.conf.image-cri-shim-unfinished", Outside);
        WriteManifest(_node.Beside("big"));
        _node.Uninstall();
        ShouldBeAsItWas();
        File.GetUnixFileMode($"{_node.Root}/etc/x.conf").ShouldBe((UnixFileMode)0b111_111_111);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_takes_turns_with_a_link_is_read_as_one_or_the_other(bool asksTheKernel)
    {
        _node.Write("/etc/crictl.yaml", "timeout: 10\n");
        var files = new NodeFiles(_node.Root, asksTheKernel);
        WhileOneThread(() => TakeTurns($"{_node.Root}/etc/crictl.yaml"), () =>
        {
            for (var round = 0; round < 3000; round++)
                Should(files.Read("/etc/crictl.yaml"));
        });

        static void Should(FileState state) => (state.Link is not null || TextEdit.TextOf(state.Content!) == "timeout: 10\n").ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_directory_that_takes_turns_with_a_link_keeps_what_is_written_in_the_image(bool asksTheKernel)
    {
        var (directory, beside, aside) = ($"{_node.Root}/etc/d", _node.Beside("d"), $"{_node.Root}/etc/aside");
        Directory.CreateDirectory(directory);
        Directory.CreateDirectory(beside);
        File.WriteAllText($"{beside}/old", Secret);
        var files = new NodeFiles(_node.Root, asksTheKernel);
        WhileOneThread(() => TakeTurnsAsDirectory(directory, aside, beside), () =>
        {
            for (var round = 0; round < 300; round++)
                Try(round, new NodeWriter(files));
        });
        Directory.GetFileSystemEntries(beside).ShouldBe([$"{beside}/old"]);
        File.ReadAllText($"{beside}/old").ShouldBe(Secret);

        static void Try(int round, NodeWriter writer)
        {
            TryOne(() => writer.Put($"/etc/d/{round}", FileState.File([1], FileState.Public)));
            TryOne(() => writer.Remove("/etc/d/old"));
            TryOne(() => writer.MakeDirectory($"/etc/d/made-{round}"));
            TryOne(() => writer.RemoveDirectoryIfEmpty("/etc/d/made"));
        }

        static void TryOne(Action action)
        {
            try
            {
                action();
            }
            catch (InstallException)
            {
                // Nothing is there at the moment.
            }
        }
    }

    [Fact]
    public void A_pipe_is_not_waited_for()
    {
        System.Diagnostics.Process.Start("mkfifo", [$"{_node.Root}/etc/crictl.yaml"]).WaitForExit();
        _node.Install(InstallMode.DryRun).Errors.ShouldContain("/etc/crictl.yaml is a pipe, not a file");
    }

    [Fact]
    public void A_file_without_end_is_refused()
    {
        _node.Write("/etc/crictl.yaml", "");
        using (var file = File.OpenWrite($"{_node.Root}/etc/crictl.yaml"))
            file.SetLength(1L << 40);
        _node.Install(InstallMode.DryRun).Errors.ShouldContain("/etc/crictl.yaml is larger than");
    }

    private void ShouldBeAsItWas()
    {
        File.ReadAllText(Outside).ShouldBe(Secret);
        File.GetUnixFileMode(Outside).ShouldBe(Private);
        File.GetLastWriteTimeUtc(Outside).ShouldBe(_longAgo);
    }

    /// <summary>As a user would who owns the directory: as soon as the file is there, a link takes its place.</summary>
    private void Swap(string unfinished)
    {
        var link = $"{_node.Root}/etc/evil";
        File.Delete(link);
        File.CreateSymbolicLink(link, Outside);
        while (!_isOver && !File.Exists(unfinished))
        {
        }

        Try(() => File.Move(link, unfinished, overwrite: true));
    }

    private void TakeTurns(string path)
    {
        var (link, file) = ($"{path}-link", $"{path}-file");
        File.CreateSymbolicLink(link, Outside);
        File.Move(link, path, overwrite: true);
        File.WriteAllText(file, "timeout: 10\n");
        File.Move(file, path, overwrite: true);
    }

    private static void TakeTurnsAsDirectory(string directory, string aside, string target)
    {
        Directory.Move(directory, aside);
        File.CreateSymbolicLink(directory, target);
        File.Delete(directory);
        Directory.Move(aside, directory);
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (IOException)
        {
            // It was renamed before.
        }
    }

    private void WhileOneThread(Action disturbs, Action works)
    {
        _isOver = false;
        var thread = new Thread(() =>
        {
            while (!_isOver)
                disturbs();
        });
        thread.Start();
        try
        {
            works();
        }
        finally
        {
            _isOver = true;
            thread.Join();
        }
    }

    private void WriteManifest(string template)
    {
        if (!File.Exists(template))
            File.WriteAllBytes(template, RandomNumberGenerator.GetBytes(8 * 1024 * 1024));
        var content = File.ReadAllBytes(template);
        var (hash, user) = (Convert.ToHexStringLower(SHA256.HashData(content)), FileIdentity.Find(template)!);
        File.Delete($"{_node.Root}/etc/x.conf");
        _node.Write("/etc/x.conf", "ours\n");
        _node.Write("/var/lib/image-cri-shim/install/manifest.json", $$"""
            {"version": 1, "runtime": "/run/containerd/containerd.sock", "shim": "/run/image-cri-shim.sock", "pending": [], "directories": [],
             "files": [{"path": "/etc/x.conf", "part": "crictl", "before": "{{hash}}", "beforeLink": null, "mode": {{0b100_111_111_111}}, "user": {{user.User}},
              "group": {{user.Group}}, "modified": "2020-01-01T00:00:00Z", "after": "{{Convert.ToHexStringLower(SHA256.HashData("ours\n"u8))}}", "afterContent": null}]}
            """);
        File.WriteAllBytes($"{_node.Root}/var/lib/image-cri-shim/install/{hash}", content);
    }
}
