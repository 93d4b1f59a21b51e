using ImageCriShim.Configuration;
using ImageCriShim.Inspection;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Inspection;

public sealed class RuntimeTrouble : NodeTest
{
    [Fact]
    public async Task It_is_not_there()
    {
        await Node.Runtime.DisposeAsync();
        (await Node.Complaints()).ShouldBe("""
            problem  runtime: the container runtime's socket DIR/cri.sock cannot be connected: there is no such socket
                     - start the container runtime, or mend cri: in the config file

            1 to mend

            """);
    }

    [Fact]
    public async Task It_does_not_speak_CRI()
    {
        foreach (var version in (string[])["v1", "v1alpha2"])
            Node.Runtime.Off($"/runtime.{version}.RuntimeService/Version");
        (await Node.Complaints()).ShouldStartWith("problem  runtime: DIR/cri.sock does not speak CRI: unknown ");
    }

    [Fact]
    public async Task It_answers_what_nobody_understands()
    {
        foreach (var version in (string[])["v1", "v1alpha2"])
            Node.Runtime.On($"/runtime.{version}.RuntimeService/Version", call => call.AnswerAsync([0xff, 0xff]));
        (await Node.Complaints()).ShouldStartWith("problem  runtime: DIR/cri.sock does not speak CRI: its answer is no message of CRI\n");
    }

    [Fact]
    public async Task Its_own_settings_may_be_told_in_a_form_that_nobody_understands()
    {
        Node.TellConfig("sandboxImage: no JSON");
        (await Node.Complaints()).ShouldBe(NothingToMend);
        Node.Runtime.On("/runtime.v1.RuntimeService/Status", call => call.AnswerAsync([0x12, 0x7f]));
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task There_are_two()
    {
        await using var other = FakeRuntime.Start(Node.Directory.File("crio.sock"));
        var (finding, _) = await RuntimeLook.Look(new ShimSettings { Registries = [] }, [Node.Runtime.SocketPath, other.SocketPath], TestContext.Current.CancellationToken);
        Node.Print([finding]).ShouldBe("""
            problem  runtime: cri: several container runtimes were found (DIR/cri.sock, DIR/crio.sock); name one
                     - name the one that kubelet is to use in the config file, such as cri: DIR/cri.sock

            1 to mend

            """);
    }

    [Fact]
    public async Task Another_program_serves_the_shim_s_socket()
    {
        await using var stranger = FakeRuntime.Start(Node.ShimSocket);
        var shim = (await Node.Look()).Single(finding => finding.What == "shim");
        shim.State.ShouldBe(FindingState.Problem);
        shim.Text.ShouldBe($"{Node.ShimSocket} is served by {Path.GetFileName(Environment.ProcessPath)} (process {Environment.ProcessId})");
    }

    [Fact]
    public async Task The_shim_s_socket_is_its_own()
    {
        File.CreateSymbolicLink(Node.ShimSocket, Node.Runtime.SocketPath);
        (await Node.Look()).Single(finding => finding.What == "shim").Text.ShouldBe($"{Node.ShimSocket} is the runtime's own socket");
    }
}
