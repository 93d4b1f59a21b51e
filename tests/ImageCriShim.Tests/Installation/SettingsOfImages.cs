using ImageCriShim.Commands;

namespace ImageCriShim.Tests.Installation;

/// <summary>The settings of an image are read in the image, and what they name is not opened: it may be of the machine, or not there yet.</summary>
public sealed class SettingsOfImages : IDisposable
{
    private const string Config = "/etc/image-cri-shim.yaml";
    private const string DropIn = "/etc/image-cri-shim.d/s.yaml";
    private const string Valid = "address: http://127.0.0.1:1\ncri: /run/containerd/containerd.sock\n";

    private readonly InstalledNode _node = new();

    public SettingsOfImages()
    {
        _node.Write(Config, Valid);
        _node.Write("/var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n");
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public void A_drop_in_that_is_a_link_out_of_the_image_is_not_there()
    {
        _node.Link(DropIn, Outside("accounts", "root:x:0\n"));
        var outcome = _node.Install(InstallMode.DryRun);
        outcome.Code.ShouldBe(2);
        outcome.Errors.ShouldStartWith("image-cri-shim.d/s.yaml: /etc/image-cri-shim.d/s.yaml does not exist\n");
        $"{outcome}".ShouldNotContain("root:");
        $"{outcome}".ShouldNotContain("unknown key");
    }

    [Fact]
    public void A_directory_of_drop_ins_that_is_a_link_out_of_the_image_is_not_there()
    {
        Directory.CreateDirectory(_node.Beside("d"));
        File.WriteAllText(_node.Beside("d/s.yaml"), "planted: 1\n");
        _node.Link("/etc/image-cri-shim.d", _node.Beside("d"));
        var outcome = _node.Install(InstallMode.DryRun);
        outcome.Code.ShouldBe(0, outcome.Errors);
        $"{outcome}".ShouldNotContain("planted");
    }

    [Fact]
    public void A_config_file_that_is_a_link_out_of_the_image_is_not_there()
    {
        File.Delete(_node.Root + Config);
        _node.Link(Config, Outside("settings", "planted: 1\n"));
        $"{_node.Install(InstallMode.DryRun)}".ShouldNotContain("planted");
    }

    [Fact]
    public void A_drop_in_of_the_image_counts_by_a_link_within_it_too()
    {
        _node.Write("/srv/real.yaml", "shim: /run/from-drop-in.sock\n");
        _node.Link(DropIn, "/srv/real.yaml");
        _node.Install(InstallMode.DryRun).Output.ShouldContain("/run/from-drop-in.sock");
    }

    [Fact]
    public void A_hidden_drop_in_does_not_count()
    {
        _node.Write("/etc/image-cri-shim.d/.hidden.yaml", "nonsense: 1\n");
        _node.Install(InstallMode.DryRun).Code.ShouldBe(0);
    }

    [Fact]
    public void What_is_wrong_in_a_drop_in_is_said_with_its_name()
    {
        _node.Write(DropIn, "nonsense: 1\n");
        _node.Install(InstallMode.DryRun).Errors.ShouldStartWith("nonsense (image-cri-shim.d/s.yaml:1): unknown key");
    }

    [Theory]
    [InlineData("username: u\npasswordFile: FILE\n")]
    [InlineData("identityTokenFile: FILE\n")]
    [InlineData("registryTokenFile: FILE\n")]
    [InlineData("dockerConfig: FILE\n")]
    [InlineData("tls: {ca: FILE}\n")]
    [InlineData("tls: {cert: FILE, key: FILE}\n")]
    [InlineData("credentialProvider: {config: FILE, binDir: /usr/bin}\n")]
    public void A_file_that_the_settings_name_is_not_opened(string yaml)
    {
        // To open a pipe would wait, and to look whether it is one be told.
        var pipe = _node.Beside("pipe");
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        foreach (var file in (string[])[pipe, "/etc/not-there-yet/secret", Outside("accounts", "root: x\n")])
        {
            _node.Write(Config, Valid + yaml.Replace("FILE", file));
            var outcome = _node.Install(InstallMode.DryRun);
            outcome.Code.ShouldBe(0, outcome.Errors);
            outcome.Errors.ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("tls: {ca: relative}\n", "is not an absolute path")]
    [InlineData("credentialProvider: {config: relative, binDir: /usr/bin}\n", "is not an absolute path")]
    [InlineData("username: u\npasswordFile: relative\n", "is not an absolute path")]
    [InlineData("tls: {key: /etc/key.pem}\n", "stands there without cert")]
    public void What_is_wrong_without_opening_it_is_said(string yaml, string problem)
    {
        _node.Write(Config, Valid + yaml);
        _node.Install(InstallMode.DryRun).Errors.ShouldContain(problem);
    }

    private string Outside(string name, string text)
    {
        File.WriteAllText(_node.Beside(name), text);
        return _node.Beside(name);
    }
}
