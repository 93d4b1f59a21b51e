using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim status</c>, as an operator types it while the daemon runs.</summary>
[Trait("suite", "endtoend")]
public sealed partial class ShowingStatus : DaemonTest
{
    private string ConfigPath => Directory.File("image-cri-shim.yaml");

    [Fact]
    public async Task It_shows_how_the_daemon_is_doing_and_why_images_came_from_where_they_came()
    {
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        using var closed = new ClosedPort();
        await StartShim(
            $"address: {registry.Address}\nauth: admin:passw0rd\nofflinePriority: 400\nofflineOnly: true\nregistries: [{{address: 'http://127.0.0.1:{closed.Number}'}}]\n");
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
            (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"))).Status.ShouldBe(0);
        await Wait.Until(async () => (await Run("status", "-f", ConfigPath)).Output.Contains(" 0 connections"), "the caller is seen to have gone");

        var (code, output) = await Run("status", "-f", ConfigPath);
        code.ShouldBe(0, output);
        var (hub, mirror) = (registry.Address[7..], $"127.0.0.1:{closed.Number}");
        Settled(output).Split('\n').Select(line => Gap().Replace(line, "  ")).ShouldBe(
        [
            "image-cri-shim VERSION (FLAVOUR), process PID, up TIME",
            $"serving  {ShimSocketPath}: 0 connections, 0 pulls in progress",
            $"runtime  {RuntimeSocketPath}: fake v1.2.3",
            $"settings {ConfigPath}: in force; reloads: 0, failed: 0",
            $"state  {Directory.File("state")}: 1 pulls recorded, 0 images missing",
            "cache  1 of 1024 images known; 0 of 1 pulls asked no registry",
            "",
            "registry  priority  auth  state",
            $"http://{mirror}  500  none  SET ASIDE TIME ago: connection refused",
            $"http://{hub}  400  admin:***  ok",
            "",
            "the last pulls, the latest first",
            "when  image  result  from  ms  why",
            $"WHEN  nginx:1.25  pulled  {hub}/library/nginx:1.25  MS  {mirror} unreachable (connection refused), {hub} found",
            "",
        ]);
    }

    [Fact]
    public async Task For_machines_it_is_the_page_that_the_daemon_serves()
    {
        StartRuntime();
        await StartShim();
        var (code, output) = await Run("status", "-f", ConfigPath, "-o", "json");
        code.ShouldBe(0, output);
        using var status = System.Text.Json.JsonDocument.Parse(output);
        status.RootElement.GetProperty("socket").GetString().ShouldBe(ShimSocketPath);
    }

    [Fact]
    public async Task Where_none_runs_it_says_where_it_looked_and_ends_with_1()
    {
        await File.WriteAllTextAsync(ConfigPath, $"shim: {ShimSocketPath}\naddress: x\n", TestContext.Current.CancellationToken);
        (await Run("status", "-f", ConfigPath)).ShouldBe((1,
            $"no image-cri-shim answers on {ShimSocketPath}.status: there is no such socket; look at: systemctl status image-cri-shim (or name its config file with -f)\n"));
    }

    /// <summary>What is another each time, in words.</summary>
    private static string Settled(string output)
    {
        output = Regex.Replace(output, @"^image-cri-shim \S+ \((native|jit)\), process \d+, up \d+ s", "image-cri-shim VERSION (FLAVOUR), process PID, up TIME");
        output = Regex.Replace(output, @"SET ASIDE \d+ s ago", "SET ASIDE TIME ago");
        output = Regex.Replace(output, @"(?m)^\d{4}-\d\d-\d\d \S+Z", "WHEN");
        return Regex.Replace(output, @"(nginx:1\.25 +)\d+ ", "$1MS ");
    }

    [GeneratedRegex(" {2,}")]
    private static partial Regex Gap();
}
