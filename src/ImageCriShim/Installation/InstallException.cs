namespace ImageCriShim.Installation;

/// <summary>What keeps us from installing, or from undoing it, in words for the operator. Nothing was written if it came before the first change.</summary>
/// <param name="problems">Each a line: what is wrong; what to do.</param>
/// <param name="exitCode">What the command ends with.</param>
internal sealed class InstallException(IReadOnlyList<string> problems, int exitCode) : Exception(string.Join('\n', problems))
{
    internal const int Failed = 1;
    internal const int BadSettings = 2;

    public InstallException(string problem, int exitCode = Failed)
        : this([problem], exitCode)
    {
    }

    public IReadOnlyList<string> Problems => problems;

    public int ExitCode => exitCode;
}
