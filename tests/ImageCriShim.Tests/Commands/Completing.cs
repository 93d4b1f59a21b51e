using System.Diagnostics;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim completion</c>, in the shells that it is for.</summary>
[Trait("suite", "endtoend")]
public sealed class Completing : DaemonTest
{
    [Theory]
    [InlineData("image-cri-shim res", "resolve")]
    [InlineData("image-cri-shim config s", "schema show")]
    [InlineData("image-cri-shim resolve --output j", "json")]
    [InlineData("image-cri-shim completion f", "fish")]
    [InlineData("image-cri-shim --fa", "--fail-open")]
    public async Task Bash_completes_commands_options_and_values(string line, string expected)
    {
        var words = line.Split(' ');
        var found = await RunIn("bash", $$"""
            source completion
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{line}}) COMP_CWORD={{words.Length - 1}}
            _image_cri_shim && printf '%s\n' "${COMPREPLY[@]}"
            """);
        found.ShouldBe(expected.Split(' '));
    }

    [Fact]
    public async Task Bash_completes_files_where_the_program_knows_nothing()
    {
        await File.WriteAllTextAsync(Directory.File("new.yaml"), "", TestContext.Current.CancellationToken);
        (await RunIn("bash", """
            source completion
            COMP_LINE='image-cri-shim config check ne' COMP_POINT=30 COMP_WORDS=(image-cri-shim config check ne) COMP_CWORD=3
            _image_cri_shim && printf '%s\n' "${COMPREPLY[@]}"
            """)).ShouldBe(["new.yaml"]);
    }

    [Theory]
    [InlineData("image-cri-shim res", "resolve")]
    [InlineData("image-cri-shim config s", "schema show")]
    public async Task Fish_completes_too(string line, string expected) =>
        (await RunIn("fish", $"source completion; complete -C '{line}'")).ShouldBe(expected.Split(' '));

    [Theory]
    [InlineData("image-cri-shim res", "resolve")]
    [InlineData("image-cri-shim config s", "schema show")]
    public async Task Zsh_completes_too(string line, string expected) =>
        (await RunIn("zsh", $$"""
            compdef() { : }
            compadd() { shift; print -l -- $@ }
            source completion
            BUFFER='{{line}}' CURSOR={{line.Length}} words=({{line}})
            _image_cri_shim
            """)).ShouldBe(expected.Split(' '));

    [Fact]
    public async Task Another_shell_is_an_error_that_names_those_there_are()
    {
        var (code, output) = await Run("completion", "tcsh");
        code.ShouldBe(1);
        output.ShouldContain("'bash'");
    }

    [Fact]
    public async Task The_manual_page_has_every_command_and_no_error()
    {
        var (code, page) = await Run("man");
        code.ShouldBe(0);
        await File.WriteAllTextAsync(Directory.File("page.8"), page, TestContext.Current.CancellationToken);
        var text = string.Join('\n', await RunIn("bash", "LC_ALL=C.UTF-8 groff -man -Tutf8 -P-cbou -ww page.8 2>&1"));
        text.ShouldNotContain("warning");
        var (_, help) = await Run("--help");
        foreach (var command in help[help.IndexOf("Commands:", StringComparison.Ordinal)..].Split('\n').Skip(1).Where(line => line.Length > 3).Select(line => line.Trim().Split(' ')[0]))
            text.ShouldContain($"   {command}");
        text.ShouldContain("-o, --output <text|json>");
    }

    /// <returns>The lines that it wrote.</returns>
    private async Task<string[]> RunIn(string shell, string script)
    {
        var program = ShimProcess.StartInfo([]);
        Script.Write(Directory.File("image-cri-shim"), $"exec {program.FileName} {string.Join(' ', program.ArgumentList)} \"$@\"");
        await File.WriteAllTextAsync(Directory.File("completion"), (await Run("completion", shell)).Output, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo(shell, ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Directory.Path };
        start.Environment["PATH"] = $"{Directory.Path}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["HOME"] = Directory.Path;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(RawConnection.Patience);
        (await errors).ShouldBe("");
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
