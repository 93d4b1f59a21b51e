using ImageCriShim.Configuration;

namespace ImageCriShim.Cri;

/// <summary>
/// What is found out from the runtime before the calls of a new connection are passed on to it. Its versions also where no call is edited: a
/// caller and a runtime of different ages would not understand each other at all without it, and nothing of the settings is needed.
/// </summary>
/// <param name="runtime">Which is asked.</param>
/// <param name="current">What edited calls work with; null: none is edited.</param>
/// <param name="record">Which is looked at once; null for as long as none is edited.</param>
internal sealed class ConnectionBeginning(RuntimeClient runtime, Func<CallEnvironment?> current, Func<RecordBeginning?> record)
{
    internal RuntimeVersions Begin(Func<bool> isWanted)
    {
        var environment = current();
        var versions = new VersionFinder(runtime, environment?.Settings.Version ?? CriVersion.Auto).Find(isWanted);
        if (environment is not null)
            record()?.Begin(environment.Resolver, versions, isWanted);
        return versions;
    }
}
