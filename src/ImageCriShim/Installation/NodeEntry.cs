using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim.Installation;

/// <summary>What stands at a name of a node, held by its descriptor: what is looked at is what is read.</summary>
internal sealed partial class NodeEntry(SafeFileHandle handle, FileIdentity identity) : IDisposable
{
    private const int ChunkSize = 64 * 1024;
    private const int LongestTarget = 4096; // PATH_MAX

    public FileIdentity Identity => identity;

    /// <summary>Where a link leads; null of all else.</summary>
    public unsafe string? LinkTarget
    {
        get
        {
            if (!identity.IsLink)
                return null;
            var target = stackalloc byte[LongestTarget];
            var length = ReadLinkAt(handle, "", target, LongestTarget);
            return length > 0 ? Encoding.UTF8.GetString(target, (int)length) : null;
        }
    }

    /// <summary>Whether what was opened for reading is this, and nothing that was put at its name meanwhile.</summary>
    public bool IsOpenAs(SafeFileHandle file) => !file.IsInvalid && identity.IsSameFile(FileIdentity.Find(file));

    /// <summary>The content of a file, and what else there is to know of it.</summary>
    /// <param name="file">The same, open for reading.</param>
    /// <param name="maxBytes">Of the content.</param>
    /// <returns>Null where it is larger.</returns>
    /// <exception cref="IOException">It cannot be read, or is another one by now.</exception>
    public FileState? Read(SafeFileHandle file, int maxBytes)
    {
        if (!IsOpenAs(file))
            throw new IOException();
        using var content = new MemoryStream();
        var chunk = new byte[ChunkSize];
        for (int read; (read = RandomAccess.Read(file, chunk, content.Length)) > 0;)
        {
            if (content.Length + read > maxBytes)
                return null;
            content.Write(chunk, 0, read);
        }

        return new FileState
        {
            Content = content.ToArray(),
            Mode = identity.Mode,
            Owner = (identity.User, identity.Group),
            Modified = File.GetLastWriteTimeUtc(file),
        };
    }

    public void Dispose() => handle.Dispose();

    [LibraryImport(LibC.Name, EntryPoint = "readlinkat", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint ReadLinkAt(SafeFileHandle directory, string name, byte* target, nuint size);
}
