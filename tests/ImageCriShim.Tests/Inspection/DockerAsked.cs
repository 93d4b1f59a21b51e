using System.Text.Json.Nodes;
using ImageCriShim.Inspection;
using ImageCriShim.Installation;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

/// <summary>docker says itself what it is set up for; its file may say something else.</summary>
public sealed class DockerAsked : NodeTest
{
    private const string Config = "/etc/docker/daemon.json";
    private const string Unit = "/etc/systemd/system/cri-docker.service";

    public DockerAsked()
    {
        Node.SpeakAs("docker", "26.1.5");
        Node.TellConfig($$"""{"sandboxImage":"{{PreparedNode.Pause}}"}""");
    }

    [Theory]
    [InlineData(false, "its own image store (overlay2)")]
    [InlineData(true, "containerd's image store (overlayfs)")]
    public async Task Its_answer_is_told(bool isContainerdStore, string store)
    {
        await using var docker = Start(FakeDocker.Told([PreparedNode.HubName], mirrors: ["https://mirror.corp/"], isContainerdStore: isContainerdStore));
        var findings = await Node.Look();
        Node.Print(findings.Where(finding => finding.What.StartsWith("docker", StringComparison.Ordinal))).ShouldBe($"""
            ok       docker and hub.corp:5000: is set up for plain http
            ok       docker: ROOT/var/run/docker.sock is docker 26.1.5 with {store}; insecure registries: hub.corp:5000, 127.0.0.0/8; mirrors of Docker Hub: https://mirror.corp/

            nothing to mend

            """);
    }

    [Fact]
    public async Task What_its_file_says_does_not_count_before_it_was_read()
    {
        await using var docker = Start(FakeDocker.Told());
        Node.WriteFile(Config, $$"""{"insecure-registries": ["{{PreparedNode.HubName}}"]}""");
        (await Node.Complaints()).ShouldBe("""
            problem  docker and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - run: systemctl reload docker

            1 to mend

            """);
    }

    [Fact]
    public async Task It_is_mended_in_its_file_which_it_reads_again()
    {
        await using var docker = Start("");
        docker.Info = () => FakeDocker.Told(File.Exists(Node.FileOf(Config))
            ? [.. JsonNode.Parse(File.ReadAllText(Node.FileOf(Config)))!["insecure-registries"]!.AsArray().Select(host => (string)host!)]
            : []);
        await ShouldSayAndBeMended("""
            problem  docker and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - write ROOT/etc/docker/daemon.json:
                         {
                           "insecure-registries": [
                             "hub.corp:5000"
                           ]
                         }
                     - run: systemctl reload docker

            1 to mend

            """);
    }

    [Fact]
    public async Task Where_flags_say_it_a_file_must_not()
    {
        await using var docker = Start(FakeDocker.Told(["old.corp:5000"]));
        (await Node.Complaints()).ShouldBe("""
            problem  docker and hub.corp:5000: is not set up for plain http, so pulls from there fail
                     - add --insecure-registry=hub.corp:5000 to dockerd's command line, where the others stand, and restart docker

            1 to mend

            """);
    }

    [Theory]
    [InlineData("10.1.2.0/24", "10.1.2.3\thub.corp # the hub", true)]
    [InlineData("10.1.2.0/24", "10.1.3.3 hub.corp", false)]
    [InlineData("127.0.0.0/8", "127.0.0.1 localhost hub.corp", true)]
    [InlineData("127.0.0.0/8", "# 127.0.0.1 hub.corp", false)]
    public async Task A_network_counts_for_the_hosts_in_it(string network, string hosts, bool isIn)
    {
        await using var docker = Start(FakeDocker.Told(networks: [network]));
        Node.WriteFile("/etc/hosts", $"::1 localhost\n{hosts}\n");
        (await Node.Look()).Single(finding => finding.What == "docker and hub.corp:5000").State.ShouldBe(isIn ? FindingState.Ok : FindingState.Problem);
    }

    [Fact]
    public async Task A_host_that_it_knows_as_secure_is_so_in_any_network()
    {
        await using var docker = Start(FakeDocker.Told(["hub.corp:5000"], ["10.0.0.0/8"]).Replace("\"Secure\": false", "\"Secure\": true"));
        Node.WriteFile("/etc/hosts", "10.1.2.3 hub.corp\n");
        (await Node.Look()).Single(finding => finding.What == "docker and hub.corp:5000").State.ShouldBe(FindingState.Problem);
    }

    [Fact]
    public async Task Its_socket_is_where_cri_dockerd_looks_for_it()
    {
        await using var docker = FakeDocker.Start(Node.FileOf("/run/other.sock"));
        Node.WriteFile(Unit, "[Service]\nExecStart=/usr/bin/cri-dockerd --docker-endpoint unix:///run/other.sock\n");
        Docker(await Node.Look()).Text.ShouldStartWith($"{Node.FileOf("/run/other.sock")} is docker 26.1.5 ");
    }

    [Fact]
    public async Task Where_it_is_not_there_its_file_is_read_and_that_is_said()
    {
        Node.WriteFile(Config, $$"""{"insecure-registries": ["{{PreparedNode.HubName}}"]}""");
        (await Node.Complaints()).ShouldBe("""
            warning  docker: cannot be asked at ROOT/var/run/docker.sock: there is no such socket; ROOT/etc/docker/daemon.json is read instead, which may not be what docker was started with
                     - run: systemctl start docker

            nothing to mend, 1 warning

            """);
    }

    [Fact]
    public async Task One_that_does_not_answer_is_not_waited_for_for_ever()
    {
        await using var docker = Start(FakeDocker.Told());
        docker.IsSilent = true;
        var root = new NodeRoot(new NodeFiles(Node.Root));
        var (info, problem) = await DockerInfo.Ask("unix:///var/run/docker.sock", root, TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
        info.ShouldBeNull();
        problem.ShouldBe("no answer within 0.3 s");
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("[]")]
    [InlineData("{\"RegistryConfig\": {\"IndexConfigs\": {\"a\": 1}, \"InsecureRegistryCIDRs\": [1, \"x\"], \"Mirrors\": 7}, \"DriverStatus\": [[1]]}")]
    public async Task Whatever_it_answers_is_told_or_not_believed(string answer)
    {
        await using var docker = Start(answer);
        Docker(await Node.Look()).Text.ShouldContain(answer[0] == 'n' ? "its answer is not docker's" : "is docker ");
    }

    [Fact]
    public async Task A_socket_of_TCP_is_not_asked()
    {
        Node.WriteFile(Unit, "[Service]\nExecStart=/usr/bin/cri-dockerd --docker-endpoint=tcp://10.0.0.1:2376\n");
        Docker(await Node.Look()).Text.ShouldStartWith("cannot be asked at tcp://10.0.0.1:2376: that is no unix socket; ");
    }

    [Fact]
    public async Task A_pause_image_of_Docker_Hub_is_looked_for_at_its_mirrors_first()
    {
        Node.Runtime.Images.Clear();
        Node.Hub.Add("library/pause", "3.9");
        Node.TellConfig("""{"sandboxImage":"docker.io/library/pause:3.9"}""");
        await using var docker = Start(FakeDocker.Told([PreparedNode.HubName], mirrors: [$"http://{PreparedNode.HubName}/"]));
        Node.Print(await Node.Look()).ShouldContain("ok       pause image: docker.io/library/pause:3.9 is not on the node, but its registry has it\n");
    }

    private FakeDocker Start(string info)
    {
        var docker = FakeDocker.Start(Node.FileOf("/var/run/docker.sock"));
        docker.Info = () => info;
        return docker;
    }

    private static Finding Docker(IEnumerable<Finding> findings) => findings.Single(finding => finding.What == "docker");
}
