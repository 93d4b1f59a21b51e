using System.CommandLine;

namespace ImageCriShim.Commands;

/// <summary>
/// <c>image-cri-shim completion</c>: a script by which a shell completes our command line. It asks the program each time, so it is never older than that.
/// </summary>
internal static class CompletionCommand
{
    private static readonly string[] s_shells = ["bash", "zsh", "fish"];

    internal static Command Make()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong(s_shells);
        var completion = new Command(
            "completion",
            "Write a script that makes a shell complete this command line. Example: image-cri-shim completion bash > /etc/bash_completion.d/image-cri-shim")
        {
            shell,
        };
        completion.SetAction(parsed => EmbeddedText.Write($"image-cri-shim.{parsed.GetValue(shell)}"));
        return completion;
    }
}
