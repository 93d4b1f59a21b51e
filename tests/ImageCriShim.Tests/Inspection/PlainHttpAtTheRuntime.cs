using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

public sealed class PlainHttpAtTheRuntime : NodeTest
{
    private const string Hosts = $"/etc/containerd/certs.d/{PreparedNode.HubName}/hosts.toml";
    private const string Config = "/etc/containerd/config.toml";

    [Fact]
    public async Task Wants_a_hosts_toml()
    {
        RemoveHosts();
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "http://hub.corp:5000"

                         [host."http://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]

            1 to mend

            """);
    }

    [Theory]
    [InlineData("server = \"https://hub.corp:5000\"\n")]
    [InlineData("[host.\"http://hub.corp:5000\"]\n  capabilities = [\"push\"]\n")]
    [InlineData("this is no TOML\n")]
    public async Task Wants_another_hosts_toml_than_that(string hosts)
    {
        Node.WriteFile(Hosts, hosts);
        (await Node.Complaints()).ShouldContain("problem  containerd and hub.corp:5000: is not set up for plain http");
        await Node.Mend();
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Theory]
    [InlineData("[host.\"http://hub.corp:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n  skip_verify = true\n")]
    [InlineData("[host.\"https://mirror.corp\"] # sends it elsewhere\n")]
    public async Task Is_content_with_that(string hosts)
    {
        Node.WriteFile(Hosts, hosts);
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Is_content_where_the_runtime_goes_by_mirrors_of_its_own()
    {
        RemoveHosts();
        Node.Configure($"address: http://{PreparedNode.HubName}\nns: true\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Wants_config_path_where_it_is_empty()
    {
        RemoveHosts();
        Node.WriteFile(Config, PreparedNode.ContainerdConfig.Replace("\"/etc/containerd/certs.d\"", "''"));
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "http://hub.corp:5000"

                         [host."http://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]
                     - write as line 7 of ROOT/etc/containerd/config.toml:
                           config_path = "/etc/containerd/certs.d"
                     - run: systemctl restart containerd

            1 to mend

            """);
    }

    [Fact]
    public async Task Wants_config_path_in_the_table_of_an_older_containerd()
    {
        RemoveHosts();
        Node.SpeakAs("containerd", "1.7.24");
        Node.WriteFile(Config, $"""
            version = 2
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{PreparedNode.Pause}"
              [plugins."io.containerd.grpc.v1.cri".registry]

            """);
        await ShouldSayAndBeMended("""
            problem  containerd and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/containerd/certs.d/hub.corp:5000/hosts.toml:
                         server = "http://hub.corp:5000"

                         [host."http://hub.corp:5000"]
                           capabilities = ["pull", "resolve"]
                     - add behind line 4 of ROOT/etc/containerd/config.toml:
                             config_path = "/etc/containerd/certs.d"
                     - run: systemctl restart containerd

            1 to mend

            """);
    }

    [Fact]
    public async Task Takes_the_mirrors_of_an_older_containerd_for_what_they_are()
    {
        RemoveHosts();
        Node.SpeakAs("containerd", "1.6.20");
        Node.WriteFile(Config, $"""
            version = 2
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{PreparedNode.Pause}"
              [plugins."io.containerd.grpc.v1.cri".registry.mirrors."hub.corp:5000"]
                endpoint = ["http://hub.corp:5000"]

            """);
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Believes_what_containerd_says_of_itself_before_its_file()
    {
        RemoveHosts();
        Node.SpeakAs("containerd", "1.7.24");
        Node.WriteFile($"/etc/elsewhere/{PreparedNode.HubName}/hosts.toml", "server = \"http://hub.corp:5000\"\n");
        Node.TellConfig($$"""{"registry":{"configPath":"/etc/elsewhere"},"sandboxImage":"{{PreparedNode.Pause}}"}""");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task Wants_a_drop_in_of_CRI_O()
    {
        Node.SpeakAs("cri-o", "1.31.0");
        Node.WriteFile("/etc/containers/policy.json", """{"default": [{"type": "insecureAcceptAnything"}]}""");
        Node.TellConfig($$"""{"sandboxImage":"{{PreparedNode.Pause}}"}""");
        await ShouldSayAndBeMended("""
            problem  cri-o and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/containers/registries.conf.d/hub.corp-5000.conf:
                         [[registry]]
                         location = "hub.corp:5000"
                         insecure = true
                     - run: systemctl reload crio

            1 to mend

            """);
    }

    [Fact]
    public async Task Wants_a_line_in_docker_s_file_and_keeps_the_others()
    {
        Node.SpeakAs("docker", "27.1.0");
        await using var docker = FakeDocker.Start(Node.FileOf("/var/run/docker.sock"));
        docker.Info = () => FakeDocker.Told([.. JsonNode.Parse(File.ReadAllText(Node.FileOf("/etc/docker/daemon.json")))!["insecure-registries"]!.AsArray().Select(host => (string)host!)]);
        Node.WriteFile("/etc/docker/daemon.json", """{"log-driver": "journald", "insecure-registries": ["old.corp:5000"]}""");
        Node.WriteFile("/etc/systemd/system/cri-docker.service", $"[Service]\nExecStart=/usr/bin/cri-dockerd --container-runtime-endpoint fd:// --pod-infra-container-image={PreparedNode.Pause}\n");
        await ShouldSayAndBeMended("""
            problem  docker and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/docker/daemon.json:
                         {
                           "log-driver": "journald",
                           "insecure-registries": [
                             "old.corp:5000",
                             "hub.corp:5000"
                           ]
                         }
                     - run: systemctl reload docker

            1 to mend

            """);
    }

    [Fact]
    public async Task Is_taken_for_granted_on_loopback()
    {
        RemoveHosts();
        Node.Configure($"address: {Node.Hub.Address}\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    private void RemoveHosts() => Directory.Delete(Path.GetDirectoryName(Node.FileOf(Hosts))!, recursive: true);
}
