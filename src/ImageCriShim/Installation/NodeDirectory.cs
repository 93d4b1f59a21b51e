using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim.Installation;

/// <summary>
/// A directory of a node, held by its descriptor: it stays the same one whatever becomes of its path. Everything is done to a name in it,
/// and no link at that name is followed.
/// </summary>
internal sealed partial class NodeDirectory(SafeFileHandle handle) : IDisposable
{
    public const int PathOnly = 0x280000; // O_PATH | O_CLOEXEC

    private const int NewFile = 0x800C1; // O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
    private const int ReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC
    private const int WithoutWaiting = 0x800; // O_NONBLOCK
    private const int NameInEntry = 19; // of struct dirent, as 64-bit Linux has it (readdir(3))
    private const int RemoveDirectoryFlag = 0x200; // AT_REMOVEDIR
    private const int NotThere = 2; // ENOENT
    private const int AlreadyThere = 17; // EEXIST
    private const int NotEmpty = 39; // ENOTEMPTY

    /// <summary>O_NOFOLLOW, which is not the same on all architectures.</summary>
    public static int NoFollow { get; } = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>The names in it, in no order. .NET lists paths alone, and a chroot need not have a /proc that has one for a descriptor.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    public IReadOnlyList<string> Names
    {
        get
        {
            using var open = OpenAt(handle, ".", ReadOnly);
            var stream = open.IsInvalid ? 0 : OpenStream(open);
            if (stream == 0)
                throw Failure();
            open.SetHandleAsInvalid(); // it is the stream's now
            var names = new List<string>();
            for (nint entry; (entry = ReadStream(stream)) != 0;)
                names.Add(Marshal.PtrToStringUTF8(entry + NameInEntry)!);
            _ = CloseStream(stream);
            return [.. names.Where(name => name is not ("." or ".."))];
        }
    }

    public static SafeFileHandle OpenAt(SafeFileHandle directory, string name, int flags, UnixFileMode mode = 0) =>
        new(OpenFileAt(directory, name, flags, (uint)mode), ownsHandle: true);

    /// <summary>Opens what stands at a name for reading, and waits for nobody to write into it.</summary>
    public SafeFileHandle Open(string name) => OpenAt(handle, name, ReadOnly | WithoutWaiting | NoFollow);

    /// <returns>What stands at a name; null for nothing.</returns>
    public NodeEntry? Find(string name)
    {
        var found = OpenAt(handle, name, PathOnly | NoFollow);
        if (!found.IsInvalid && FileIdentity.Find(found) is { } identity)
            return new NodeEntry(found, identity);
        found.Dispose();
        return null;
    }

    /// <summary>Makes a file that nobody else can open before it is whole.</summary>
    /// <exception cref="IOException">There is something at the name already, if only a link.</exception>
    public void WriteNew(string name, FileState state)
    {
        using var file = OpenAt(handle, name, NewFile, FileState.Private);
        if (file.IsInvalid)
            throw Failure();
        RandomAccess.Write(file, state.Content, fileOffset: 0);
        if (state.Owner is { } owner)
            Check(ChangeOwner(file, owner.User, owner.Group));
        File.SetUnixFileMode(file, state.Mode & FileState.Rights); // behind chown(2), which takes away what gives others rights
        if (state.Modified is { } modified)
            File.SetLastWriteTimeUtc(file, modified);
        RandomAccess.FlushToDisk(file);
    }

    public void MakeLink(string name, string target) => Check(SymbolicLinkAt(target, handle, name));

    /// <summary>In place of what is there.</summary>
    public void Rename(string name, string other) => Check(RenameAt(handle, name, handle, other));

    /// <summary>A file or a link; without effect where there is none.</summary>
    public void Remove(string name) => Check(UnlinkAt(handle, name, flags: 0), but: NotThere);

    /// <summary>Without effect where it is there.</summary>
    public void MakeDirectory(string name, UnixFileMode mode)
    {
        Check(MakeDirectoryAt(handle, name, (uint)mode), but: AlreadyThere);
        using var made = Find(name);
        if (made is not { Identity.IsDirectory: true })
            throw new IOException("", AlreadyThere);
    }

    /// <returns>False: there is something in it.</returns>
    public bool TryRemoveDirectory(string name)
    {
        if (UnlinkAt(handle, name, RemoveDirectoryFlag) == 0)
            return true;
        return Marshal.GetLastPInvokeError() is NotEmpty or AlreadyThere ? false : throw Failure();
    }

    /// <summary>Puts the names onto the disk; without it a new one may be lost with the power (fsync(2)).</summary>
    public void Persist()
    {
        using var open = OpenAt(handle, ".", ReadOnly);
        if (!open.IsInvalid)
            LibC.Persist((int)open.DangerousGetHandle());
    }

    public void Dispose() => handle.Dispose();

    private static void Check(int result, int but = 0)
    {
        if (result != 0 && Marshal.GetLastPInvokeError() != but)
            throw Failure();
    }

    private static IOException Failure() => new("", Marshal.GetLastPInvokeError());

    [LibraryImport(LibC.Name, EntryPoint = "openat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenFileAt(SafeFileHandle directory, string name, int flags, uint mode);

    [LibraryImport(LibC.Name, EntryPoint = "fdopendir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenStream(SafeFileHandle directory);

    [LibraryImport(LibC.Name, EntryPoint = "readdir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadStream(nint stream);

    [LibraryImport(LibC.Name, EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseStream(nint stream);

    [LibraryImport(LibC.Name, EntryPoint = "fchown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport(LibC.Name, EntryPoint = "symlinkat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SymbolicLinkAt(string target, SafeFileHandle directory, string name);

    [LibraryImport(LibC.Name, EntryPoint = "renameat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int RenameAt(SafeFileHandle directory, string name, SafeFileHandle otherDirectory, string other);

    [LibraryImport(LibC.Name, EntryPoint = "unlinkat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int UnlinkAt(SafeFileHandle directory, string name, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "mkdirat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeDirectoryAt(SafeFileHandle directory, string name, uint mode);
}
