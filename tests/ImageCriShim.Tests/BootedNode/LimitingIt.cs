namespace ImageCriShim.Tests.BootedNode;

/// <summary>What the unit lets the shim have.</summary>
[Collection<BootedNodeTests>]
public sealed class LimitingIt(DebianNode node) : BootedTest(node)
{
    private const string Cgroups = "/sys/fs/cgroup";
    private const string Unit = "image-cri-shim.service";

    [Fact]
    public async Task Its_cgroup_has_a_gibibyte_of_memory_and_4096_tasks()
    {
        (await Node.Run($"cat $(find {Cgroups}/memory -path '*/{Unit}/memory.limit_in_bytes')")).ShouldBe("1073741824");
        (await Node.Run($"cat $(find {Cgroups}/pids -path '*/{Unit}/pids.max')")).ShouldBe("4096");
        (await Node.Show("MemoryHigh")).ShouldBe("536870912"); // for cgroup v2, which the node does not have
    }

    [Fact]
    public async Task It_may_open_65536_files_or_as_many_as_the_node_lets_it_and_leaves_no_core()
    {
        (await Node.Show("LimitNOFILE")).ShouldBe("65536");
        var pid = await Node.MainPid();
        var lines = (await Node.Run($"cat /proc/{pid}/limits")).Split('\n');
        var limits = lines.ToDictionary(line => line[..25].Trim(), line => line[25..].Trim());
        var files = Math.Min(65536, int.Parse(await Node.Run("ulimit -Hn")));
        limits["Max open files"].ShouldStartWith($"{files} ");
        limits["Max core file size"].ShouldMatch("^0 +0 ");
    }

    [Fact]
    public async Task It_has_no_socket_for_debuggers()
    {
        var pid = await Node.MainPid();
        (await Node.Run($"ls /proc/{pid}/root/tmp")).ShouldBe("");
    }

    [Fact]
    public async Task It_asks_to_be_the_last_that_goes_when_memory_runs_out() => (await Node.Show("OOMScoreAdjust")).ShouldBe("-999");

    [Fact]
    public async Task Its_state_is_roots_alone_whatever_its_directory_was()
    {
        await Node.Run("chmod 755 /var/lib/image-cri-shim; systemctl restart image-cri-shim");
        (await Node.Run("stat -c '%U %a' /var/lib/image-cri-shim")).ShouldBe("root 700");
        (await Node.Show("CanClean")).ShouldBe("state");
    }
}
