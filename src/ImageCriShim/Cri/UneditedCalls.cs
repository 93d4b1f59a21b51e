using ImageCriShim.Configuration;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// Where every call is forwarded unread. Only the version of CRI is translated: a caller and a runtime of different ages would not
/// understand each other at all without it, and nothing of the settings is needed.
/// </summary>
internal sealed class UneditedCalls(RuntimeClient runtime)
{
    /// <summary>For a new connection.</summary>
    internal RouteCall Begin(Func<bool> isWanted)
    {
        var versions = new VersionFinder(runtime, CriVersion.Auto).Find(isWanted);
        return (path, _) => new CallRoute(null, versions.Rename(path), CriRouter.IsEndless(path));
    }
}
