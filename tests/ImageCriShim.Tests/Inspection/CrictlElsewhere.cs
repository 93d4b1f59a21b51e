namespace ImageCriShim.Tests.Inspection;

public sealed class CrictlElsewhere : NodeTest
{
    [Fact]
    public async Task By_its_file()
    {
        Node.WriteFile("/etc/crictl.yaml", $"timeout: 10\nruntime-endpoint: unix:///run/containerd/containerd.sock\nimage-endpoint: \"\"\n");
        await ShouldSayAndBeMended("""
            problem  crictl: calls unix:///run/containerd/containerd.sock, not the shim (ROOT/etc/crictl.yaml:2)
                     - write as line 2 of ROOT/etc/crictl.yaml:
                         runtime-endpoint: unix://DIR/shim.sock

            1 to mend

            """);
    }

    [Fact]
    public async Task For_want_of_a_file()
    {
        File.Delete(Node.FileOf("/etc/crictl.yaml"));
        await ShouldSayAndBeMended("""
            problem  crictl: has no ROOT/etc/crictl.yaml, so it does not call the shim
                     - write ROOT/etc/crictl.yaml:
                         runtime-endpoint: unix://DIR/shim.sock
                         image-endpoint: unix://DIR/shim.sock

            1 to mend

            """);
    }

    [Fact]
    public async Task For_want_of_a_key()
    {
        Node.WriteFile("/etc/crictl.yaml", "timeout: 10\n");
        await ShouldSayAndBeMended("""
            problem  crictl: is told of no socket in ROOT/etc/crictl.yaml, so it does not call the shim
                     - add at the end of ROOT/etc/crictl.yaml:
                         runtime-endpoint: unix://DIR/shim.sock

            1 to mend

            """);
    }
}
