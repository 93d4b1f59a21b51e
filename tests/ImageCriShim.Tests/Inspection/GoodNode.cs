namespace ImageCriShim.Tests.Inspection;

public sealed class GoodNode : NodeTest
{
    [Fact]
    public async Task Has_a_line_for_each_thing_and_nothing_to_mend()
    {
        Node.Configure($"address: http://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        Node.Hub.Account = ("admin", PreparedNode.Password);
        Node.Print(await Node.Look()).ShouldBe("""
            ok       settings: DIR/image-cri-shim.yaml can be used
            ok       secrets: are not for everybody to read
            ok       runtime: DIR/cri.sock is containerd v2.1.0, which speaks CRI v1 and v1alpha2
            warning  shim: does not serve DIR/shim.sock yet
                     - run: systemctl start image-cri-shim
            ok       registry http://hub.corp:5000: answers, and takes admin:*** (auth)
            ok       containerd and hub.corp:5000: is set up for plain http
            ok       pause image: registry.k8s.io/pause:3.9 is on the node
            ok       kubelet: calls the shim (ROOT/var/lib/kubelet/kubeadm-flags.env:1)
            ok       crictl: calls the shim (ROOT/etc/crictl.yaml)

            nothing to mend, 1 warning

            """);
    }

    [Theory]
    [InlineData("unix:")]
    [InlineData("")]
    public async Task May_name_the_socket_in_any_of_kubelets_forms(string scheme)
    {
        Node.WriteFile("/var/lib/kubelet/kubeadm-flags.env", $"KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint={scheme}{Node.ShimSocket} --v=2\"\n");
        (await Node.Complaints()).ShouldBe(NothingToMend);
    }

    [Fact]
    public async Task A_password_goes_to_its_registry_alone_and_is_not_printed()
    {
        Node.Configure($"address: http://{PreparedNode.HubName}\nauth: admin:{PreparedNode.Password}\n");
        Node.Hub.Account = ("admin", "another");
        Node.Print(await Node.Look()).ShouldNotContain(PreparedNode.Password);
        Node.Proxy.Requests.ShouldAllBe(request => request.EndsWith(PreparedNode.HubName, StringComparison.Ordinal));
    }
}
