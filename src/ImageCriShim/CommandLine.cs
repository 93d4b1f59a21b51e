using System.CommandLine;
using ImageCriShim.Hosting;

namespace ImageCriShim;

/// <summary>The commands and their options.</summary>
internal static class CommandLine
{
    /// <returns>The exit code.</returns>
    internal static int Run(string[] args)
    {
        var file = new Option<string>("--file", "-f")
        {
            Description = "The config file.",
            DefaultValueFactory = _ => "/etc/image-cri-shim.yaml",
            Recursive = true,
        };
        var logFormat = new Option<LogFormat>("--log-format")
        {
            Description = "text for people, json for machines.",
            DefaultValueFactory = _ => LogFormat.Text,
            Recursive = true,
        };

        var serve = new Command("serve", "Serve callers until SIGTERM (the default). Example: image-cri-shim serve -f /etc/image-cri-shim.yaml");
        serve.SetAction(parsed => ShimHost.Serve(parsed.GetValue(file)!, parsed.GetValue(logFormat)));

        var version = new Command("version", "Print the version. Example: image-cri-shim version");
        version.SetAction(_ => Console.WriteLine(ShimVersion.Text));

        var root = new RootCommand("Makes images come from where this cluster keeps them: stands between kubelet and the container runtime.")
        {
            file,
            logFormat,
            serve,
            version,
        };
        root.SetAction(parsed => ShimHost.Serve(parsed.GetValue(file)!, parsed.GetValue(logFormat)));
        return root.Parse(args).Invoke();
    }
}
