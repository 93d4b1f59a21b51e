using System.Net.Sockets;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>What the shim says when it starts, and when it does not.</summary>
[Trait("suite", "endtoend")]
public sealed class Starting : DaemonTest
{
    [Fact]
    public async Task Says_what_is_in_force_under_the_names_that_operators_search_for()
    {
        StartRuntime();
        var shim = await StartShim("address: http://sealos.hub:5000\nauth: admin:passw0rd\n");
        string[] expected =
        [
            $"shim-socket: {ShimSocketPath}", $"cri-socket: {RuntimeSocketPath}", "hub-address: http://sealos.hub:5000", "Auth: admin:***",
            "RegistryDomain: sealos.hub:5000", "Force: False", "Debug: False", "serving on",
        ];
        await Until(() => expected.All(shim.Output.Contains), () => shim.Output);
        shim.Output.ShouldNotContain("passw0rd");
        shim.ShouldNotHaveComplained();
    }

    [Fact]
    public async Task Gives_the_memory_back_that_only_the_start_needed()
    {
        StartRuntime();
        var shim = await StartShim();
        long Kilobytes(string what) =>
            long.Parse(File.ReadLines($"/proc/{shim.Id}/status").Single(line => line.StartsWith($"{what}:", StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
        await Wait.Until(() => Kilobytes("VmRSS") < 0.9 * Kilobytes("VmHWM"), "a tenth less than at the most");
    }

    [Fact]
    public async Task With_an_unusable_file_names_every_problem_and_ends_with_2()
    {
        StartRuntime();
        var (code, output) = await FailToStart("""
            address: http://sealos.hub:5000/UPPER
            auth: ":passw0rd"
            timeout: soon
            registrys: []
            """);
        code.ShouldBe(2);
        string[] places = ["address", "auth", "timeout", "registrys"]; // from line 4 on
        foreach (var (i, key) in places.Index())
            output.ShouldContain($"{key} (image-cri-shim.yaml:{4 + i})");
        output.ShouldNotContain("passw0rd");
        File.Exists(ShimSocketPath).ShouldBeFalse();
    }

    [Fact]
    public async Task Without_a_file_says_so_and_ends_with_2()
    {
        var (code, output) = await Run("-f", Directory.File("absent.yaml"));
        code.ShouldBe(2);
        output.ShouldContain("absent.yaml does not exist");
    }

    [Fact]
    public async Task Without_the_runtime_ends_with_1_and_a_remedy()
    {
        var (code, output) = await FailToStart();
        code.ShouldBe(1);
        output.ShouldContain($"{RuntimeSocketPath} cannot be connected: there is no such socket; start the runtime first, or set force: true");
        File.Exists(ShimSocketPath).ShouldBeFalse();
    }

    [Fact]
    public async Task By_force_serves_without_the_runtime_until_it_comes()
    {
        await StartShim("force: true\n");
        var refused = await Call();
        refused.Status.ShouldBe(14);
        refused.Message.ShouldContain(RuntimeSocketPath);
        StartRuntime();
        (await Call()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task While_the_runtime_restarts_waits_for_it()
    {
        using (var gone = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            gone.Bind(new UnixDomainSocketEndPoint(Directory.File("gone.sock")));
            File.Move(Directory.File("gone.sock"), RuntimeSocketPath); // .NET removes the file that it made
        }

        await StartShim();
        var call = Call();
        StartRuntime();
        (await call).Status.ShouldBe(0);
    }

    private static async Task Until(Func<bool> condition, Func<string> otherwise)
    {
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); !condition(); await Task.Delay(5)) // its output comes over a pipe
            if (waited.Elapsed > RawConnection.Patience) throw new TimeoutException(otherwise());
    }
}
