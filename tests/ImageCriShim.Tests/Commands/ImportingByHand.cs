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

    private static async Task<(int Code, string Output, string Errors)> Run(params string[] arguments)
    {
        using var process = Process.Start(ShimProcess.StartInfo(arguments))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        return (process.ExitCode, await output, await errors);
    }
}
