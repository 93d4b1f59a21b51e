using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Settings that cannot be used take no node down that asks for <c>--fail-open</c>.</summary>
[Trait("suite", "endtoend")]
public sealed class FailingOpen : SupervisedTest
{
    private const string Loud = "FAIL OPEN: the settings cannot be used";

    private string Paths => $"shim: {ShimSocketPath}\ncri: {RuntimeSocketPath}\n";

    public static TheoryData<string, string> UnusableFiles => new()
    {
        { "a value that is not allowed", "address: http://h\ntimeout: soon\n" },
        { "an unknown key", "adress: http://h\n" },
        { "half a list", "registries: [{address: http://h, auth: \"a:" },
        { "half a path", "image: /var/lib\naddress" },
        { "no YAML", "\t%%%{{{ *\n" },
        { "octets of anything", "\0\u0001\u0002\ufffd\n" },
        { "a great depth", new string('[', 100_000) },
        { "a key that holds itself", "? &a [*a]\n: 1\n? &b [*b]\n: 2\n" },
    };

    [Theory]
    [MemberData(nameof(UnusableFiles))]
    public async Task With_an_unusable_file_serves_on_the_sockets_that_it_still_names(string what, string rest)
    {
        var runtime = StartRuntime();
        var shim = await StartOpen(Paths + rest);
        (await Call()).Status.ShouldBe(0, what);
        shim.ShouldSay(Loud);
        await Pull();
        runtime.CallsOf("PullImage").Single().Image.ShouldBe("nginx:1.25");
    }

    [Fact]
    public async Task Says_every_problem_and_which_sockets()
    {
        StartRuntime();
        var shim = await StartOpen($"{Paths}address: http://h/UPPER\nauth: \":hunter2-secret\"\ntimeout: soon\n");
        string[] expected = ["address (", "auth (", "timeout (", Loud, $"shim-socket: {ShimSocketPath}", $"cri-socket: {RuntimeSocketPath}"];
        await Wait.Until(() => expected.All(shim.Output.Contains), shim.Output);
        shim.Output.ShouldNotContain("hunter2-secret");
    }

    [Fact]
    public async Task A_path_that_is_only_half_written_is_not_believed()
    {
        var shim = AtEnd(ShimProcess.LaunchRaw($"shim: {ShimSocketPath}\ncri: {RuntimeSocketPath[..^6]}", ["--fail-open"], Directory));
        // Nothing is found on this machine, or something else is; the half path at least is not taken for one.
        await Wait.Until(() => shim.HasExited || shim.Output.Contains("cri-socket: "), shim.Output);
        shim.Output.ShouldNotContain($"cri-socket: {RuntimeSocketPath[..^6]}\n");
    }

    [Fact]
    public async Task Serves_without_the_runtime_until_it_comes()
    {
        await StartOpen(Paths + "x: y\n");
        (await Call()).Status.ShouldBe(14);
        StartRuntime();
        (await Call()).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Translates_the_version_that_the_runtime_lacks()
    {
        var runtime = StartRuntime();
        foreach (var method in (string[])["RuntimeService/Version", "ImageService/ImageFsInfo"])
            runtime.Off($"/runtime.v1.{method}");
        await StartOpen(Paths + "x: y\n");
        (await Call("/runtime.v1.ImageService/ImageFsInfo")).Status.ShouldBe(0);
    }

    [Fact]
    public async Task Tells_systemd()
    {
        StartRuntime();
        await File.WriteAllTextAsync(ConfigPath, Paths + "x: y\n", TestContext.Current.CancellationToken);
        var shim = AtEnd(await Supervisor.StartAsync(["--notify", NotifyPath], ["-f", ConfigPath, "--fail-open"]));
        await Wait.Until(() => shim.Notified.Contains("READY=1"));
        shim.Status.ShouldStartWith("STATUS=FAIL OPEN, nothing is rewritten: address (image-cri-shim.yaml:1): missing");
    }

    [Fact]
    public async Task A_file_in_order_is_used_as_ever()
    {
        var runtime = StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        var shim = AtEnd(ShimProcess.LaunchWith(["--fail-open"], Directory, RuntimeSocketPath, $"address: {registry.Address}\n"));
        await shim.ReadyAsync();
        await Pull();
        runtime.CallsOf("PullImage").ShouldContain(call => call.Image.EndsWith("/library/nginx:1.25", StringComparison.Ordinal));
        shim.ShouldNotHaveComplained();
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("--log-format", "json")]
    public async Task Is_an_option_of_serve_and_of_no_command_alike(params string[] arguments)
    {
        StartRuntime();
        var shim = AtEnd(ShimProcess.LaunchRaw(Paths + "x: y\n", ["--fail-open", .. arguments], Directory));
        await shim.ReadyAsync();
        (await Call()).Status.ShouldBe(0);
    }

    private async Task<ShimProcess> StartOpen(string yaml)
    {
        var shim = AtEnd(ShimProcess.LaunchRaw(yaml, ["--fail-open"], Directory));
        await shim.ReadyAsync();
        return shim;
    }

    private async Task Pull()
    {
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"))).Status.ShouldBe(0);
    }
}
