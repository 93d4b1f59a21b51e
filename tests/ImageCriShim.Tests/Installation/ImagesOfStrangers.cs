using System.Security.Cryptography;
using System.Text;

namespace ImageCriShim.Tests.Installation;

/// <summary>What <c>--root</c> names may come from anybody, with a backup of ours in it that we have not written: nothing beside it is read or changed.</summary>
public sealed class ImagesOfStrangers : IDisposable
{
    private const string Place = "/var/lib/image-cri-shim/install";

    private readonly InstalledNode _node = new();

    private string Outside => _node.Beside("outside");

    public ImagesOfStrangers()
    {
        File.WriteAllText(Outside, "the machine's own");
        _node.Write("/etc/image-cri-shim.yaml", "address: http://127.0.0.1:1\n");
    }

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("/../outside")]
    [InlineData("/etc/../../outside")]
    [InlineData("/etc/./x")]
    [InlineData("/etc//x")]
    [InlineData("../outside")]
    [InlineData("/")]
    [InlineData("")]
    public void A_path_that_we_would_not_have_written_down_is_refused(string path)
    {
        WriteManifest(path, before: null);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldNotBe(0);
        outcome.Errors.ShouldContain("manifest.json cannot be understood");
        File.ReadAllText(Outside).ShouldBe("the machine's own");
    }

    [Fact]
    public void A_link_on_the_way_to_a_file_leads_to_where_it_would_in_the_image()
    {
        _node.Link("/etc/away", _node.Beside(""));
        WriteManifest("/etc/away/outside", before: null, after: Hash("the machine's own"));
        _node.Uninstall();
        File.ReadAllText(Outside).ShouldBe("the machine's own");
    }

    [Fact]
    public void So_does_a_link_of_several_that_go_up()
    {
        _node.Link("/etc/up", "../../../../../../../../..");
        WriteManifest($"/etc/up{Outside}", before: null, after: Hash("the machine's own"));
        _node.Uninstall();
        File.ReadAllText(Outside).ShouldBe("the machine's own");
    }

    [Theory]
    [InlineData("../../../../../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("0123")]
    public void A_content_is_read_by_its_hash_alone(string name)
    {
        WriteManifest("/etc/copied", name);
        var outcome = _node.Uninstall();
        outcome.Code.ShouldNotBe(0);
        outcome.Errors.ShouldContain("manifest.json cannot be understood");
        _node.Has("/etc/copied").ShouldBeFalse();
    }

    [Fact]
    public void A_content_that_is_a_link_out_of_the_image_is_not_read()
    {
        var hash = Hash("the machine's own");
        _node.Link($"{Place}/{hash}", Outside);
        WriteManifest("/etc/copied", hash);
        _node.Uninstall().Code.ShouldNotBe(0);
        _node.Has("/etc/copied").ShouldBeFalse();
    }

    [Fact]
    public void Nothing_is_restored_that_runs_as_its_owner()
    {
        var hash = Hash("#!/bin/sh\n");
        _node.Write($"{Place}/{hash}", "#!/bin/sh\n");
        WriteManifest("/etc/copied", hash, mode: 0b100_101_101_101);
        _node.Uninstall();
        File.GetUnixFileMode($"{_node.Root}/etc/copied").ShouldBe((UnixFileMode)0b101_101_101);
    }

    private static string Hash(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private void WriteManifest(string path, string? before, string after = "absent", int mode = 0b110_100_100)
    {
        var content = before is null ? "" : $""", "mode": {mode}, "user": 0, "group": 0, "modified": null""";
        var text = before is null ? "null" : $"\"{before}\"";
        _node.Write($"{Place}/manifest.json", $$"""
            {"version": 1, "runtime": "/run/containerd/containerd.sock", "shim": "/run/image-cri-shim.sock", "pending": [], "directories": [],
             "files": [{"path": "{{path}}", "part": "shim", "before": {{text}}, "beforeLink": null{{content}}, "after": "{{after}}", "afterContent": null}]}
            """);
    }
}
