using System.Globalization;
using ImageCriShim.Configuration;
using ImageCriShim.Installation;

namespace ImageCriShim.Inspection;

/// <summary>The kubelet that runs on this node.</summary>
/// <param name="Id">Of the process.</param>
/// <param name="Flag">What its flag says; null where it has none.</param>
/// <param name="Sockets">Those that it is connected to now; empty where that is not known.</param>
internal sealed record RunningKubelet(int Id, string? Flag, IReadOnlySet<string> Sockets)
{
    private const string Program = "kubelet";
    private const string FlagName = "--container-runtime-endpoint";

    /// <summary>Null where none runs, or none that may be seen.</summary>
    /// <param name="service">The unit that runs it.</param>
    public static RunningKubelet? Find(string service)
    {
        var all = Processes().Order().ToList();
        var inService = all.Where(id => IsIn(service, id)).ToList();
        var found = inService.Count > 0 ? inService : [.. all.Where(id => IsKubelet(ProcessArguments.Of(id).Take(1)) && IsOfThisNode(id))];
        if (found.Count == 0)
            return null;
        var kubelet = found.Find(id => IsKubelet(ProcessArguments.Of(id).Take(2)));
        return kubelet > 0
            ? new RunningKubelet(kubelet, FlagOf(ProcessArguments.Of(kubelet)), UnixPeers.Of(found))
            : new RunningKubelet(found[0], Flag: null, UnixPeers.Of(found));
    }

    public bool Calls(string socket) => Sockets.Any(one => Endpoint.AreSame(one, socket));

    private static IEnumerable<int> Processes()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                yield return id;
        }
    }

    // The second word where it is a script, which the interpreter is given.
    private static bool IsKubelet(IEnumerable<string> words) => words.Any(word => Path.GetFileName(word) == Program);

    /// <summary>By its control group: systemd puts each service into one of its name.</summary>
    private static bool IsIn(string service, int process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/cgroup").Any(line => $"{line}/".Contains($"/{service}/", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>One in a container, such as that of a node of kind, has another root.</summary>
    private static bool IsOfThisNode(int process) =>
        FileIdentity.Find($"/proc/{process}/root/") is { } root && root.IsSameFile(FileIdentity.Find("/"));

    private static string? FlagOf(string[] arguments)
    {
        string? found = null;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == FlagName && i + 1 < arguments.Length)
                found = arguments[i + 1];
            else if (arguments[i].StartsWith(FlagName + "=", StringComparison.Ordinal))
                found = arguments[i][(FlagName.Length + 1)..];
        }

        return found;
    }
}
