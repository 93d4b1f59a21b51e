using ImageCriShim.Installation;

namespace ImageCriShim.Commands;

/// <summary>What install and uninstall say, and whom they ask.</summary>
/// <param name="answers">A terminal; null where there is none to ask.</param>
internal sealed class InstallConsole(InstallMode mode, TextWriter output, TextWriter errors, TextReader? answers)
{
    private const int Ok = 0;

    public static InstallConsole Real(InstallMode mode) => new(mode, Console.Out, Console.Error, Console.IsInputRedirected ? null : Console.In);

    public static string Count(int changes) => changes == 1 ? "1 change" : $"{changes} changes";

    public bool IsDryRun => mode == InstallMode.DryRun;

    /// <returns>The exit code.</returns>
    public int Try(Action action)
    {
        try
        {
            action();
            return Ok;
        }
        catch (InstallException e)
        {
            foreach (var problem in e.Problems)
                errors.WriteLine(problem);
            return e.ExitCode;
        }
    }

    public void Say(string line) => output.WriteLine(line);

    public void Warn(string line) => errors.WriteLine(line);

    /// <summary>A file that others write is shown without what stands around the change, which is none of our business.</summary>
    public void Show(FileChange change)
    {
        var (before, after) = (change.Before, change.After);
        if (IsNoText(before) || IsNoText(after) || after.IsAbsent)
            output.WriteLine($"{change.Path}: {Describe(before, after)}");
        else if (before.Fingerprint == after.Fingerprint)
            output.WriteLine($"{change.Path}: owner and mode as they were");
        else
            output.Write(UnifiedDiff.Format(change.Path, before.Content, after.Content, change.Part == ChangeOf.Kubelet ? 0 : 3));
    }

    /// <summary>Whether it is to be done.</summary>
    /// <exception cref="InstallException">There is nobody to ask.</exception>
    public bool Confirms(string summary)
    {
        Say(IsDryRun ? $"{summary} Nothing was changed (--dry-run)." : summary);
        if (mode != InstallMode.Ask)
            return mode == InstallMode.Yes;
        if (answers is null)
            throw new InstallException("there is no terminal to ask whether this is to be done; say --yes, or --dry-run to see it only");
        output.Write("Apply? [y/N] ");
        if (answers.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes")
            return true;
        Say("Nothing was changed.");
        return false;
    }

    private static bool IsNoText(FileState state) => state.Link is not null || state.Content?.Contains((byte)0) == true;

    private static string Describe(FileState before, FileState after) => (before.IsAbsent, after) switch
    {
        (_, { IsAbsent: true }) => before.Link is null ? "removed" : "link removed",
        (true, { Link: { } target }) => $"new link to {target}",
        (_, { Link: { } target }) => $"link to {target}",
        (true, _) => "new program",
        _ => "program replaced",
    };
}
