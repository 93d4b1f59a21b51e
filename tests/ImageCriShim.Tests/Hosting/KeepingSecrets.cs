using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>What /proc shows of the process to others.</summary>
[Trait("suite", "endtoend")]
public sealed class KeepingSecrets : DaemonTest
{
    private const string Planted = "hunter2-planted";

    [Fact]
    public async Task No_secret_is_in_the_environment_or_the_arguments()
    {
        StartRuntime();
        await File.WriteAllTextAsync(Directory.File("secret"), $"{Planted}-file", TestContext.Current.CancellationToken);
        var shim = await StartShim($$"""
            address: http://127.0.0.1:1
            auth: admin:{{Planted}}-auth
            registries:
            - {address: "http://127.0.0.1:2", username: u, passwordFile: {{Directory.File("secret")}}}
            - {address: "http://127.0.0.1:3", registryToken: {{Planted}}-token}
            """);
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
            await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"));
        foreach (var file in (string[])["environ", "cmdline"])
        {
            var text = await File.ReadAllTextAsync($"/proc/{shim.Id}/{file}", TestContext.Current.CancellationToken);
            text.ShouldNotBeEmpty();
            text.ShouldNotContain(Planted);
        }

        shim.Output.ShouldNotContain(Planted);
    }
}
