using System.Diagnostics;
using System.Text;

namespace ImageCriShim.Cri;

/// <summary>
/// Which versions of CRI a runtime speaks. Both have the same messages on the wire, so a call in the version that it lacks is put to it
/// under the other's name.
/// </summary>
/// <param name="V1">It has runtime.v1.</param>
/// <param name="V1Alpha2">It has runtime.v1alpha2.</param>
internal sealed record RuntimeVersions(bool V1, bool V1Alpha2)
{
    /// <summary>Nothing is to be renamed: it speaks both, or nobody knows.</summary>
    internal static readonly RuntimeVersions Both = new(true, true);

    /// <summary>
    /// All that v1alpha2 ever had: it was frozen with Kubernetes 1.24 and removed with 1.26. What came later a caller of v1alpha2 cannot mean, and
    /// the runtime says so.
    /// </summary>
    private static readonly byte[][] s_v1Alpha2Methods =
    [
        .. new[]
        {
            "Version", "RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "PodSandboxStatus", "ListPodSandbox", "CreateContainer",
            "StartContainer", "StopContainer", "RemoveContainer", "ListContainers", "ContainerStatus", "UpdateContainerResources",
            "ReopenContainerLog", "ExecSync", "Exec", "Attach", "PortForward", "ContainerStats", "ListContainerStats", "PodSandboxStats",
            "ListPodSandboxStats", "UpdateRuntimeConfig", "Status",
        }.Select(method => Encoding.ASCII.GetBytes($"RuntimeService/{method}")),
        .. new[] { "ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo" }.Select(method => Encoding.ASCII.GetBytes($"ImageService/{method}")),
    ];

    private const int LongestShown = 128; // of what a runtime calls itself

    private const int RuntimeName = 2; // VersionResponse

    private static ReadOnlySpan<byte> V1Prefix => "/runtime.v1."u8;

    private static ReadOnlySpan<byte> V1Alpha2Prefix => "/runtime.v1alpha2."u8;

    /// <returns>What the runtime calls itself; null where it does not say in time.</returns>
    internal static (string Name, string Version)? AskForName(RuntimeClient runtime, TimeSpan patience)
    {
        const int runtimeVersion = 3;
        var begin = Stopwatch.GetTimestamp();
        foreach (var version in new[] { "v1", "v1alpha2" })
        {
            var reply = runtime.CallAndWait(PathOf(version), () => Stopwatch.GetElapsedTime(begin) < patience);
            if (reply is not { Status.IsOk: true, Message.Span: var message })
                continue;
            NoteName(runtime, reply);
            return (Shown(ProtoMessage.GetString(message, RuntimeName)), Shown(ProtoMessage.GetString(message, runtimeVersion)));
        }

        return null;
    }

    /// <summary>The method Version of that version.</summary>
    internal static string PathOf(string version) => $"/runtime.{version}.RuntimeService/Version";

    /// <summary>The runtime's name is kept with the runtime: images are named in its fashion.</summary>
    /// <param name="versionReply">To a call of Version.</param>
    internal static void NoteName(RuntimeClient runtime, RuntimeReply versionReply)
    {
        try
        {
            if (versionReply.Status.IsOk)
                runtime.Name = Shown(ProtoMessage.GetString(versionReply.Message.Span, RuntimeName));
        }
        catch (MalformedMessageException)
        {
            // A runtime that does not say who it is.
        }
    }

    private static string Shown(string text) => PrintableText.Of(text, LongestShown);

    /// <summary>The name under which this runtime has the method; empty where it is the caller's own, or a method that is nobody else's.</summary>
    internal ReadOnlyMemory<byte> Rename(ReadOnlySpan<byte> path)
    {
        if (V1 == V1Alpha2)
            return default;
        if (V1Alpha2)
            return path.StartsWith(V1Prefix) ? (byte[])[.. V1Alpha2Prefix, .. path[V1Prefix.Length..]] : default;
        if (!path.StartsWith(V1Alpha2Prefix))
            return default;
        path = path[V1Alpha2Prefix.Length..];
        foreach (var method in s_v1Alpha2Methods)
        {
            if (path.SequenceEqual(method))
                return (byte[])[.. V1Prefix, .. path];
        }

        return default;
    }
}
