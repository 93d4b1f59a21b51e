namespace ImageCriShim.Tests.Fakes;

/// <summary>A directory with a short name, since a socket's path has at most 108 bytes; removed at the end.</summary>
/// <param name="inMemory">For thousands of files a second, and where a busy disk must not be taken for one that hangs; where the machine has a file
/// system for that.</param>
public sealed class TempDirectory(bool inMemory = false) : IDisposable
{
    private const string Memory = "/dev/shm";

    public string Path { get; } = inMemory && Directory.Exists(Memory)
        ? Directory.CreateDirectory($"{Memory}/ics{System.IO.Path.GetRandomFileName()}").FullName
        : Directory.CreateTempSubdirectory("ics").FullName;

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
