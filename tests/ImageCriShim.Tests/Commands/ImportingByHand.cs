using System.Diagnostics;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim config import</c>, as an operator types it.</summary>
[Trait("suite", "endtoend")]
public sealed class ImportingByHand : IDisposable
{
    private const string Secret = "planted-by-hand-90c2";

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Secrets_go_to_standard_output_alone_and_what_is_written_can_be_used()
    {
        File.WriteAllText(_directory.File("old.yaml"), $"address: http://sealos.hub:5000\nauth: admin:{Secret}\n");

        var (code, output, errors) = await Run("config", "import", _directory.File("old.yaml"));

        code.ShouldBe(0, errors);
        output.ShouldContain(Secret);
        errors.ShouldNotContain(Secret);
        errors.ShouldStartWith("it holds secrets: let nobody else read the file (chmod 600)\n");
        File.WriteAllText(_directory.File("new.yaml"), output);
        (await Run("config", "check", _directory.File("new.yaml"))).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_is_written_where_a_file_cannot_be_read()
    {
        File.WriteAllText(_directory.File("daemon.json"), "{\"registry-mirrors\": [\"https://mirror.corp\"]}");

        var (code, output, errors) = await Run("config", "import", _directory.File("daemon.json"), _directory.File("config.toml"));

        (code, output).ShouldBe((1, ""));
        errors.ShouldBe($"config.toml: {_directory.File("config.toml")} does not exist\n");
    }

    [Theory]
    [InlineData("certs.d/docker.io/hosts.toml", "[host.\"https://mirror.corp\".header]\n  X-Team = \"planted-by-hand-90c2\"\n", "header (docker.io/hosts.toml:2): X-Team is not carried over: the registry may refuse without\n")]
    [InlineData("registries.yaml", "mirrors:\n  quay.io:\n    endpoint: [https://mirror.corp]\n    rewrite: {'[a-z]+': x}\n", "endpoint (registries.yaml:3): the rewrite of [a-z]+ cannot be said by path; images that it is for are looked for as if it were not there\n")]
    [InlineData("registries.conf", "[[registry]]\nlocation = \"quay.io\"\n[[registry.mirror]]\nlocation = \"mirror.corp\"\ninsecure = true\n", "insecure (registries.conf:5): CRI-O tries https at mirror.corp without looking at certificates, and then plain http: if it speaks plain http, write http:// into the address\n")]
    public async Task What_would_be_pulled_from_elsewhere_is_written_only_when_asked_for(string file, string text, string reason)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory.File(file))!);
        File.WriteAllText(_directory.File(file), text);
        var path = _directory.File(file.Split('/')[0]);

        var (code, output, errors) = await Run("config", "import", path);

        (code, output).ShouldBe((3, ""));
        errors.ShouldStartWith(reason);
        errors.ShouldContain("--partial");
        errors.ShouldNotContain(Secret);
        var partial = await Run("config", "import", "--partial", path);
        partial.Code.ShouldBe(0, partial.Errors);
        partial.Output.ShouldContain("mirror.corp");
        partial.Errors.ShouldStartWith(reason);
    }

    private static async Task<(int Code, string Output, string Errors)> Run(params string[] arguments)
    {
        using var process = Process.Start(ShimProcess.StartInfo(arguments))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return (process.ExitCode, await output, await errors);
    }
}
