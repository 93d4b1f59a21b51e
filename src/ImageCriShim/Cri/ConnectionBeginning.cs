namespace ImageCriShim.Cri;

/// <summary>What is found out from the runtime before the calls of a new connection are passed on to it.</summary>
/// <param name="current">What edited calls work with.</param>
/// <param name="record">Which is looked at once.</param>
internal sealed class ConnectionBeginning(Func<CallEnvironment> current, RecordBeginning record)
{
    internal RuntimeVersions Begin(Func<bool> isWanted)
    {
        var environment = current();
        var versions = new VersionFinder(environment.Runtime, environment.Settings.Version).Find(isWanted);
        record.Begin(environment.Resolver, versions, isWanted);
        return versions;
    }
}
