using System.CommandLine;
using ImageCriShim.Commands;
using ImageCriShim.Hosting;
using ImageCriShim.Registries;

namespace ImageCriShim;

/// <summary>The commands and their options.</summary>
internal static class CommandLine
{
    // @sha256:... is an image's digest, and no file that holds more arguments.
    private static readonly ParserConfiguration s_asWritten = new() { ResponseFileTokenReplacer = null };

    /// <returns>The exit code.</returns>
    internal static int Run(string[] args) => Make().Parse(args, s_asWritten).Invoke();

    /// <summary>From which help, completion and the man page are made as well.</summary>
    internal static RootCommand Make()
    {
        var file = new Option<string>("--file", "-f")
        {
            Description = "The config file.",
            DefaultValueFactory = _ => "/etc/image-cri-shim.yaml",
            Recursive = true,
        };
        var logFormat = MakeChoice("--log-format", [], "text for people, json for machines.", LogFormat.Text);
        logFormat.Recursive = true;
        var failOpen = new Option<bool>("--fail-open")
        {
            Description = "Serve even if the config file cannot be used: every call is forwarded unread, and the log says so every minute.",
        };
        var stopTimeout = MakeDuration(
            "--stop-timeout", "How long a stop waits for open calls; keep it below TimeoutStopSec= of the unit.", ServeOptions.StopTimeoutByDefault);
        var drainTimeout = MakeDuration(
            "--drain-timeout", "How long open calls go on in this process after another one has taken over.", ServeOptions.DrainTimeoutByDefault);
        var serve = new Command("serve", "Serve callers until SIGTERM (the default). Example: image-cri-shim serve -f /etc/image-cri-shim.yaml --fail-open")
        {
            failOpen,
            stopTimeout,
            drainTimeout,
        };
        int Serve(ParseResult parsed) => ShimHost.Serve(new ServeOptions(
            parsed.GetValue(file)!, parsed.GetValue(logFormat), parsed.GetValue(failOpen), parsed.GetValue(stopTimeout), parsed.GetValue(drainTimeout)));
        serve.SetAction(Serve);

        var image = new Argument<string>("image") { Description = "The image as a manifest names it, such as nginx:1.25." };
        var output = MakeChoice("--output", ["-o"], "text for people, json for machines.", OutputFormat.Text);
        var resolve = new Command(
            "resolve",
            "Ask the registries for an image and say what a pull would do, and why; exit code 1 if nothing has it. Example: image-cri-shim resolve nginx:1.25")
        {
            image,
            output,
        };
        resolve.SetAction((parsed, cancellation) =>
            ResolveCommand.Run(parsed.GetValue(file)!, parsed.GetValue(image)!, parsed.GetValue(output), cancellation));

        var images = new Command(
            "images",
            "Show what was pulled on this node: the name that was asked for, the name it came by, registry, digest, when. Example: image-cri-shim images")
        {
            output,
        };
        images.SetAction(parsed => StateCommand.ShowImages(parsed.GetValue(file)!, parsed.GetValue(output)));

        var list = MakeChoice("--output", ["-o"], "list for mirroring tools (a name a line), json with times and the names that were looked for.", MissingFormat.List);
        var missing = new Command(
            "missing", "Show what no registry had, newest first. Example: image-cri-shim missing > to-mirror.txt")
        {
            list,
        };
        missing.SetAction(parsed => StateCommand.ShowMissing(parsed.GetValue(file)!, parsed.GetValue(list)));

        var root = new RootCommand("Makes images come from where this cluster keeps them: stands between kubelet and the container runtime.")
        {
            file,
            logFormat,
            failOpen,
            stopTimeout,
            drainTimeout,
            serve,
            resolve,
            StatusCommand.Make(file, output),
            ReloadCommand.Make(file),
            images,
            missing,
            CheckCommand.Make(file, output),
            InstallCommand.Make(),
            UninstallCommand.Make(),
            MakeConfig(file),
            VersionCommand.Make(),
            CompletionCommand.Make(),
        };
        root.Add(ManPage.MakeCommand(root));
        root.SetAction(Serve);
        return root;
    }

    /// <summary>An option with one of a few words, which are shown as they are mostly written: in lower case.</summary>
    private static Option<T> MakeChoice<T>(string name, string[] aliases, string description, T byDefault)
        where T : struct, Enum
    {
        var words = Enum.GetNames<T>().Select(word => word.ToLowerInvariant()).ToArray();
        var option = new Option<T>(name, aliases)
        {
            Description = description,
            HelpName = string.Join('|', words),
            DefaultValueFactory = _ => byDefault,
        };
        option.CompletionSources.Clear();
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>An option with a duration as Go writes them.</summary>
    private static Option<TimeSpan> MakeDuration(string name, string description, TimeSpan byDefault) => new(name)
    {
        Description = description,
        HelpName = "duration",
        DefaultValueFactory = _ => byDefault,
        CustomParser = parsed =>
        {
            if (!GoDuration.TryParse(parsed.Tokens[0].Value, out var duration) || duration < TimeSpan.Zero)
                parsed.AddError($"{name} must be {GoDuration.Allowed}");
            return duration;
        },
    };

    private static Command MakeConfig(Option<string> file)
    {
        var checkedFile = new Argument<string?>("file")
        {
            Description = "The config file; the one of --file if none is named.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var check = new Command(
            "check",
            "Say everything that is wrong with the config file and its drop-ins; exit code 2 if they cannot be used. Example: image-cri-shim config check new.yaml")
        {
            checkedFile,
        };
        check.SetAction(parsed => ConfigCommand.Check(parsed.GetValue(checkedFile) ?? parsed.GetValue(file)!));
        var show = new Command(
            "show",
            "Show the settings that the config file and its drop-ins come to, and where each was written; secrets are left out. Example: image-cri-shim config show");
        show.SetAction(parsed => ConfigCommand.Show(parsed.GetValue(file)!));
        var schema = new Command(
            "schema",
            "Write the JSON Schema of the config file, by which editors complete it. Example: image-cri-shim config schema > image-cri-shim.schema.json");
        schema.SetAction(_ => ConfigCommand.WriteSchema());
        return new Command("config", "The config file: check it, show what it comes to, write its schema, make one of what was there before.") { check, show, schema, ImportCommand.Make() };
    }
}
