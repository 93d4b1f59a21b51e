using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Settings in which a space is missing, and settings that others may read: what the daemon and the commands say of them.</summary>
[Trait("suite", "endtoend")]
public sealed class KeysThatAreSecrets : SupervisedTest
{
    private const string Planted = "Planted-S3cret-4e1d";
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string Spoilt = $"{{address: http://127.0.0.1:1, auth:admin:{Planted}}}";

    [Fact]
    public async Task A_start_that_fails_and_every_command_are_silent_about_it()
    {
        StartRuntime();
        File.WriteAllText(ConfigPath, Spoilt);
        var shim = AtEnd(ShimProcess.LaunchRaw(Spoilt, [], Directory));
        (await shim.ExitAsync()).ShouldBe(2);
        shim.Output.ShouldContain("unknown key");
        shim.Output.ShouldNotContain(Planted);
        string[][] commands =
        [
            ["check"], ["check", "--output", "json"], ["config", "check", ConfigPath], ["config", "show"], ["resolve", "nginx"], ["images"], ["missing"], ["status"],
        ];
        foreach (var command in commands)
            (await Run(["-f", ConfigPath, .. command])).Output.ShouldNotContain(Planted, Case.Insensitive, string.Join(' ', command));
    }

    [Fact]
    public async Task So_are_STATUS_and_status_of_a_daemon_whose_file_has_become_so()
    {
        StartRuntime();
        Configure("address: http://127.0.0.1:1\nreloadInterval: 100ms\n");
        var shim = await SuperviseReady();
        File.WriteAllText(ConfigPath, Spoilt);
        await Wait.Until(() => shim.Status.Contains("cannot be used", StringComparison.Ordinal), "systemd hears of it");
        string.Join('\n', shim.Notified).ShouldNotContain(Planted);
        shim.Output.ShouldNotContain(Planted);
        foreach (var output in (string[])["text", "json"])
        {
            File.WriteAllText(Directory.File("sockets.yaml"), $"shim: {ShimSocketPath}\naddress: http://127.0.0.1:1\n");
            var (code, status) = await Run("-f", Directory.File("sockets.yaml"), "status", "--output", output);
            code.ShouldBe(0, status);
            status.ShouldContain("cannot be used");
            status.ShouldNotContain(Planted);
        }
    }

    [Theory]
    [InlineData("auth: admin:secret\n", Mine | UnixFileMode.OtherRead, true)]
    [InlineData("auth: admin:secret\n", Mine | UnixFileMode.GroupRead, false)]
    [InlineData("address: http://127.0.0.1:1\nregistries: [{address: \"http://127.0.0.1:2\", registryToken: secret}]\n", Mine | UnixFileMode.OtherRead, true)]
    [InlineData("timeout: 5m\n", Mine | UnixFileMode.OtherRead, false)]
    public async Task A_file_with_secrets_that_everybody_may_read_is_warned_of_at_the_start(string yaml, UnixFileMode mode, bool isWarnedOf)
    {
        StartRuntime();
        File.WriteAllText(ConfigPath, "");
        File.SetUnixFileMode(ConfigPath, mode);
        var shim = await StartShim(yaml);
        var warning = $"{ConfigPath} holds secrets and may be read by everybody on this machine; run chmod 600 {ConfigPath}";
        await Wait.Until(() => shim.Output.Contains("serving on"), shim.Output);
        shim.Output.Contains(warning).ShouldBe(isWarnedOf, shim.Output);
    }

    [Fact]
    public async Task So_is_a_drop_in()
    {
        StartRuntime();
        System.IO.Directory.CreateDirectory(Directory.File("image-cri-shim.d"));
        var dropIn = Directory.File("image-cri-shim.d/10.yaml");
        File.WriteAllText(dropIn, "registries: [{address: \"http://127.0.0.1:2\", auth: a:secret}]\n");
        File.SetUnixFileMode(dropIn, Mine | UnixFileMode.OtherRead);
        (await StartShim()).ShouldSay($"{dropIn} holds secrets and may be read by everybody on this machine");
    }
}
