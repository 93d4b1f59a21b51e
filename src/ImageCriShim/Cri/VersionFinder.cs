using System.Diagnostics;
using ImageCriShim.Configuration;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Asks the runtime which versions it speaks: for each caller's connection anew, when that has its own connection to the runtime. One that
/// restarts in between ends that connection as well, so an answer is never older than what it is about.
/// </summary>
internal sealed class VersionFinder(RuntimeClient runtime, CriVersion setting)
{
    /// <param name="isWanted">Whether anybody waits for it.</param>
    internal RuntimeVersions Find(Func<bool> isWanted) => setting switch
    {
        CriVersion.V1 => new RuntimeVersions(V1: true, V1Alpha2: false),
        CriVersion.V1Alpha2 => new RuntimeVersions(V1: false, V1Alpha2: true),
        _ => Has("v1", isWanted) is not { } v1 || Has("v1alpha2", isWanted) is not { } v1Alpha2 ? RuntimeVersions.Both : new RuntimeVersions(v1, v1Alpha2),
    };

    /// <returns>Null: it did not say, or nobody wants to know any more.</returns>
    private bool? Has(string version, Func<bool> isWanted)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            if (runtime.CallAndWait($"/runtime.{version}.RuntimeService/Version", isWanted)?.Status is not { } status)
                return null;
            if (!IsStarting(status))
                return status.Code is not StatusCode.Unimplemented; // whatever else it says to it, it knows the service
            if (Stopwatch.GetElapsedTime(begin) >= RuntimeSocket.Patience || !isWanted())
                return null;
            Thread.Sleep(RuntimeSocket.RetryInterval); // the thread belongs to this connection alone
        }
    }

    /// <summary>A containerd that listens already, and loads what is on the node, answers every call of CRI with that text; before 2.x it is UNKNOWN.</summary>
    private static bool IsStarting(GrpcStatus status) =>
        status is { Code: StatusCode.Unavailable } or { Code: StatusCode.Unknown, Message: "server is not initialized yet" };
}
