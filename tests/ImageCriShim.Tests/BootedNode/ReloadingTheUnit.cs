namespace ImageCriShim.Tests.BootedNode;

/// <summary><c>systemctl reload</c>.</summary>
[Collection<BootedNodeTests>]
public sealed class ReloadingTheUnit(DebianNode node) : BootedTest(node)
{
    private const string Journal = "journalctl -q -b -o cat -u image-cri-shim _PID=$(systemctl show --value -p MainPID image-cri-shim)";

    [Fact]
    public async Task Takes_good_settings_into_force_in_the_same_process()
    {
        var before = await Node.MainPid();
        await Node.Write("/etc/image-cri-shim.yaml", DebianNode.Settings + "names: actual\n");
        await Node.Run("systemctl reload image-cri-shim");

        await Until($"{Journal} | grep -q 'settings: names'");
        (await Pull("nginx:1.25")).ShouldBeOk();
        (await Call()).SelectMany(image => image.Tags).ShouldContain("registry.corp:5000/library/nginx:1.25");
        (await Node.MainPid()).ShouldBe(before);
    }

    [Fact]
    public async Task Keeps_what_is_in_force_when_settings_are_bad_and_says_so()
    {
        var before = await Node.MainPid();
        await Node.Write("/etc/image-cri-shim.yaml", "adress: http://registry.corp:5000\n");
        (await Node.Try("systemctl reload image-cri-shim")).ShouldEndWith("exit code 1");
        (await Node.Run("journalctl -q -b -o cat -u image-cri-shim")).ShouldMatch("the settings are older than /etc/image-cri-shim.yaml, which cannot be used: address .* missing");

        await Until("systemctl show --value -p StatusText image-cri-shim | grep -q 'cannot be used'");
        await Until($"{Journal} -p err | grep -q 'what was in force before stays in force'");
        (await Pull("nginx:1.25")).ShouldBeOk();
        (await Node.MainPid()).ShouldBe(before);
        (await Node.Run("systemctl is-active image-cri-shim")).ShouldBe("active");

        await Node.Write("/etc/image-cri-shim.yaml", DebianNode.Settings);
        await Node.Run("systemctl reload image-cri-shim");
        await Until($"{Journal} | grep -q 'can be used again, and is in force'");
    }
}
