using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>A registry that sends us to a name of an address at which clouds keep secrets, as its token server or by a redirect.</summary>
[Trait("suite", "endtoend")]
public sealed class NamesOfLinkLocalAddresses : DaemonTest
{
    private const string Name = "metadata.evil.test";

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("fe80::a9fe:a9fe")]
    [InlineData("::ffff:169.254.169.254")]
    public async Task Nothing_is_asked_there_for_a_token(string address)
    {
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"http://{Name}/latest/meta-data\",service=\"x\""] };
        (await Resolve(registry, address)).ShouldContain($"{Name} has the address {address}, where clouds keep secrets of their own: nothing is asked there");
    }

    [Fact]
    public async Task Nothing_is_asked_there_by_a_redirect_and_the_registry_is_not_taken_for_one_that_is_down()
    {
        await using var registry = FakeRegistry.Start();
        registry.Behave = request => request.Path.Contains("/manifests/") ? FakeAnswer.RedirectTo($"http://{Name}/latest/meta-data") : null;
        var said = await Resolve(registry, "169.254.169.254");
        said.Contains($"unreachable ({Name} has the address 169.254.169.254, where clouds", StringComparison.Ordinal).ShouldBeTrue(said);
    }

    [Fact]
    public async Task A_registry_of_the_settings_may_have_such_an_address()
    {
        await using var registry = FakeRegistry.Start();
        (await Resolve(registry, "169.254.169.254", $"http://{Name}:1")).ShouldNotContain("clouds keep secrets");
    }

    /// <summary>In a mount namespace of its own, in which the name has that address.</summary>
    private async Task<string> Resolve(FakeRegistry registry, string address, string? instead = null)
    {
        File.WriteAllText(Directory.File("hosts"), $"127.0.0.1 localhost\n{address} {Name}\n");
        File.WriteAllText(Directory.File("settings.yaml"), $"address: {instead ?? registry.Address}\nofflineOnly: true\nprobeTimeout: 30s\n");
        var program = ShimProcess.StartInfo(["-f", Directory.File("settings.yaml"), "resolve", "team/app:1"]);
        var inNamespace = new ProcessStartInfo(
            "unshare", ["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", Directory.File("hosts"), program.FileName, .. program.ArgumentList])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(inNamespace)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await output + await errors;
    }
}
