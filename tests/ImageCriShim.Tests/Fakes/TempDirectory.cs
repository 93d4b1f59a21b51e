namespace ImageCriShim.Tests.Fakes;

/// <summary>A directory with a short name, since a socket's path has at most 108 bytes; removed at the end.</summary>
public sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ics").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A process that is still ending writes there; /tmp is cleaned by the machine.
        }
    }
}
