using ImageCriShim.Commands;
using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Installation;

namespace ImageCriShim.Tests.Inspection;

/// <summary>With <c>--root</c> the image is looked at alone: what this machine has is not.</summary>
public sealed class CheckingAnImage : IDisposable
{
    private const string Config = "/etc/image-cri-shim.yaml";
    private const string NotLookedAt = "warning running node: was not looked at: runtime, shim, registries, pause image and clock can be seen on the node alone";

    private readonly InstalledNode _node = new();

    public CheckingAnImage()
    {
        _node.Write(Config, "address: http://127.0.0.1:1\ncri: /run/containerd/containerd.sock\n", FileState.Private);
        _node.Write("/etc/crictl.yaml", "runtime-endpoint: unix:///var/run/image-cri-shim.sock\n");
        _node.Write("/var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///var/run/image-cri-shim.sock\n");
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public void A_good_image() => Look().ShouldBe(
    [
        "ok settings: ROOT/etc/image-cri-shim.yaml can be used",
        "ok secrets: are not for everybody to read",
        "ok kubelet: calls the shim (ROOT/var/lib/kubelet/config.yaml:1)",
        "ok crictl: calls the shim (ROOT/etc/crictl.yaml)",
        NotLookedAt,
    ]);

    [Fact]
    public void The_settings_and_their_drop_ins_are_those_of_the_image()
    {
        _node.Write("/etc/image-cri-shim.d/socket.yaml", "shim: /run/other.sock\n");
        Look().ShouldContain("problem crictl: calls unix:///var/run/image-cri-shim.sock, not the shim (ROOT/etc/crictl.yaml:1)");
    }

    [Fact]
    public void An_image_without_settings_is_told_so()
    {
        File.Delete(_node.Root + Config);
        var config = new ImageConfig(new NodeFiles(_node.Root)).Load(Config);
        config.Problems.ShouldBe(["image-cri-shim.yaml: /etc/image-cri-shim.yaml does not exist"]);
        CheckCommand.CodeOf(config, []).ShouldBe(2);
    }

    [Fact]
    public void Secrets_that_are_not_there_yet_are_a_warning_and_those_that_all_may_read_a_problem()
    {
        _node.Write(Config, "address: http://127.0.0.1:1\nauth: a:b\nregistries:\n- {address: \"https://hub.corp\", username: u, passwordFile: /etc/pw, tls: {ca: [/etc/ca.pem, /etc/two.pem]}}\n"
            + "- {address: \"https://two.corp\", username: u, passwordFile: /etc/open}\n");
        _node.Write("/etc/open", "secret");
        Look().Where(line => line.Contains(" secrets: ")).ShouldBe(
        [
            "problem secrets: ROOT/etc/image-cri-shim.yaml holds secrets and may be read by everybody on this machine",
            "problem secrets: ROOT/etc/open is passwordFile of two.corp and may be read by everybody on this machine",
            "warning secrets: /etc/pw is passwordFile of hub.corp and is not in the image",
            "warning secrets: /etc/ca.pem is tls.ca of hub.corp and is not in the image",
            "warning secrets: /etc/two.pem is tls.ca of hub.corp and is not in the image",
        ]);
    }

    [Fact]
    public void A_credential_providers_configuration_may_be_a_file_or_a_directory()
    {
        _node.Write("/etc/one/file.yaml", "");
        _node.Write(Config, "address: http://127.0.0.1:1\ncredentialProvider: {config: /etc/one/file.yaml, binDir: /bin}\nregistries:\n"
            + "- {address: \"https://two.corp\", credentialProvider: {config: /etc/one, binDir: /bin}}\n"
            + "- {address: \"https://three.corp\", credentialProvider: {config: /etc/none, binDir: /bin}}\n");
        Look().Where(line => line.Contains("is not in the image")).ShouldBe(
            ["warning secrets: /etc/none is credentialProvider.config of three.corp and is not in the image"]);
    }

    [Fact]
    public void A_secret_of_this_machine_is_not_one_of_the_image()
    {
        var outside = _node.Beside("password");
        File.WriteAllText(outside, "secret");
        _node.Write(Config, $"address: http://127.0.0.1:1\nusername: u\npasswordFile: {outside}\n");
        Look().ShouldContain($"warning secrets: {outside} is passwordFile of 127.0.0.1:1 and is not in the image");
    }

    private List<string> Look()
    {
        var (files, origins) = (new NodeFiles(_node.Root), new Origins());
        var config = new ImageConfig(files).Load(Config, origins);
        config.Problems.ShouldBeEmpty();
        return [.. new ImageInspection(Config, config, origins, files).Look()
            .Select(finding => $"{finding.State}".ToLowerInvariant() + $" {finding.What}: {finding.Text}".Replace(_node.Root, "ROOT", StringComparison.Ordinal))];
    }
}
