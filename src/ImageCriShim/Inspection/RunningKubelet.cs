namespace ImageCriShim.Inspection;

/// <summary>The kubelet that runs on this node.</summary>
/// <param name="Id">Of the process.</param>
/// <param name="Socket">What its flag says; null where it has none.</param>
internal sealed record RunningKubelet(int Id, string? Socket)
{
    private const string Flag = "--container-runtime-endpoint";

    /// <summary>Null where none runs, or none that may be seen.</summary>
    public static RunningKubelet? Find() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(TryRead).FirstOrDefault(kubelet => kubelet is not null);

    private static RunningKubelet? TryRead(string? process) =>
        int.TryParse(process, out var id) && ProcessArguments.Of(id) is [var program, .. var arguments] && Path.GetFileName(program) == "kubelet"
            ? new RunningKubelet(id, FlagOf(arguments))
            : null;

    private static string? FlagOf(string[] arguments)
    {
        string? found = null;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == Flag && i + 1 < arguments.Length)
                found = arguments[i + 1];
            else if (arguments[i].StartsWith(Flag + "=", StringComparison.Ordinal))
                found = arguments[i][(Flag.Length + 1)..];
        }

        return found;
    }
}
