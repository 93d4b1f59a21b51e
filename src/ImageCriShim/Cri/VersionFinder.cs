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
    internal RuntimeVersions Find(Func<bool> isWanted)
    {
        if (setting is CriVersion.Auto)
            return Has("v1", isWanted) is not { } v1 || Has("v1alpha2", isWanted) is not { } v1Alpha2 ? RuntimeVersions.Both : new RuntimeVersions(v1, v1Alpha2);
        if (runtime.Name.Length == 0) // once: images are named in the runtime's fashion
            Has(setting is CriVersion.V1 ? "v1" : "v1alpha2", isWanted);
        return new RuntimeVersions(V1: setting is CriVersion.V1, V1Alpha2: setting is CriVersion.V1Alpha2);
    }

    /// <returns>Null: it did not say, or nobody wants to know any more.</returns>
    private bool? Has(string version, Func<bool> isWanted)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            if (runtime.CallAndWait(RuntimeVersions.PathOf(version), isWanted) is not { Status: var status } reply)
                return null;
            if (!status.IsStarting)
            {
                RuntimeVersions.NoteName(runtime, reply);
                return status.Code is not StatusCode.Unimplemented; // whatever else it says to it, it knows the service
            }

            if (Stopwatch.GetElapsedTime(begin) >= RuntimeSocket.Patience || !isWanted())
                return null;
            Thread.Sleep(RuntimeSocket.RetryInterval); // the thread belongs to this connection alone
        }
    }
}
