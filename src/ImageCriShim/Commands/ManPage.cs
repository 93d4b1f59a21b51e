using System.CommandLine;
using System.Text;

namespace ImageCriShim.Commands;

/// <summary><c>image-cri-shim man</c>: the manual page, made from what <c>--help</c> is made from (man-pages(7), groff_man(7)).</summary>
internal static class ManPage
{
    private const string ExampleMark = " Example: ";

    internal static Command MakeCommand(RootCommand root)
    {
        var man = new Command("man", "Write the manual page. Example: image-cri-shim man | man -l -");
        man.SetAction(_ => Console.Write(Format(root)));
        return man;
    }

    internal static string Format(RootCommand root)
    {
        var page = new StringBuilder();
        Line(page, $".TH IMAGE\\-CRI\\-SHIM 8 \"\" \"image\\-cri\\-shim {Escape(ShimVersion.Text)}\" \"Kubernetes node\"");
        Section(page, "NAME", "image\\-cri\\-shim \\- makes images come from where this cluster keeps them");
        Section(page, "SYNOPSIS", ".B image\\-cri\\-shim\n.RI [ command ]\n.RI [ options ]");
        Section(page, "DESCRIPTION", Escape(
            "A daemon between kubelet and the container runtime. Every image comes from the registries that are configured, while manifests keep the names their authors wrote. " +
            "Without a command it serves."));
        Line(page, ".SH OPTIONS");
        Options(page, root);
        Line(page, ".SH COMMANDS");
        foreach (var command in root.Subcommands)
            Describe(page, command, "");
        Section(page, "FILES", Definitions(
            ("/etc/image-cri-shim.yaml", "The settings (image-cri-shim config schema describes every key)."),
            ("/etc/image-cri-shim.d/*.yaml", "Drop-ins, in the order of their names; later ones win."),
            ("/var/run/image-cri-shim.sock", "The socket that kubelet and crictl are pointed at. Beside it, with .status behind its name, one for image-cri-shim status."),
            ("/var/lib/image-cri-shim", "What was pulled by which name, and what no registry had.")));
        Section(page, "SIGNALS", Definitions(
            ("SIGHUP", "The settings are read again."), ("SIGTERM, SIGINT", "No new callers; calls in flight end. The same again cuts them.")));
        Section(page, "EXIT STATUS", Definitions(
            ("0", "Done, or stopped as asked."),
            ("1", "It cannot start, the answer of the command is no, or the arguments are wrong."),
            ("2", "The settings cannot be used.")));
        Section(page, "SEE ALSO", ".BR crictl (1),\n.BR kubelet (1),\n.BR systemctl (1)");
        return page.ToString();
    }

    private static void Describe(StringBuilder page, Command command, string parents)
    {
        var name = $"{parents}{command.Name}";
        Line(page, $".SS {Escape(string.Join(' ', [name, .. command.Arguments.Select(argument => $"<{argument.Name}>")]))}");
        var parts = (command.Description ?? "").Split(ExampleMark);
        Line(page, Escape(parts[0]));
        foreach (var argument in command.Arguments)
            Define(page, $"<{argument.Name}>", argument.Description);
        Options(page, command);
        if (parts.Length > 1)
            Line(page, $".PP\n.EX\n    {Escape(parts[1])}\n.EE");
        foreach (var below in command.Subcommands)
            Describe(page, below, $"{name} ");
    }

    private static void Options(StringBuilder page, Command command)
    {
        foreach (var option in command.Options)
        {
            var names = string.Join(", ", [.. option.Aliases.Where(IsOurs), option.Name]);
            var takesValue = option.ValueType != typeof(bool) && option.HasDefaultValue;
            var value = takesValue ? $" <{option.HelpName ?? option.Name.TrimStart('-')}>" : "";
            var byDefault = takesValue ? $" The default is {option.GetDefaultValue()?.ToString()?.ToLowerInvariant()}." : "";
            Define(page, names + value, option.Description + byDefault);
        }
    }

    /// <summary>Not a spelling for another system.</summary>
    private static bool IsOurs(string alias) => alias[0] == '-' && alias != "-?";

    private static string Definitions(params (string Term, string Text)[] entries)
    {
        var text = new StringBuilder();
        foreach (var (term, description) in entries)
            Define(text, term, description);
        return text.ToString().TrimEnd('\n');
    }

    private static void Define(StringBuilder page, string term, string? text) => Line(page, $".TP\n.B {Escape(term)}\n{Escape(text ?? "")}");

    private static void Section(StringBuilder page, string name, string text) => Line(page, $".SH {name}\n{text}");

    private static void Line(StringBuilder page, string line) => page.Append(line).Append('\n');

    /// <summary>What roff would take for its own; a hyphen is to be copied as one.</summary>
    private static string Escape(string text)
    {
        text = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return text.StartsWith('.') || text.StartsWith('\'') ? $"\\&{text}" : text;
    }
}
