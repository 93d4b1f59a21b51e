using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim.Installation;

/// <summary>
/// A directory that holds the image of a node. The kernel looks up what lies below it as if it were the root directory (openat2(2),
/// RESOLVE_IN_ROOT): neither <c>..</c> nor a link leads out of it, whoever has made the image, and even if it changes meanwhile.
/// </summary>
internal sealed partial class ImageRoot
{
    private const int OpenAt2 = 437; // the system call's number, the same on all architectures
    private const ulong PathOnlyNotInherited = 0x280000; // O_PATH | O_CLOEXEC
    private const ulong InRootWithoutMagicLinks = 0x10 | 0x02; // RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS

    private const string Missing = ".no-such-directory"; // where a file would be whose directory is not there

    private readonly string _root;
    private readonly SafeFileHandle _handle;
    private readonly Dictionary<string, SafeFileHandle> _directories = []; // that were looked up
    private readonly List<SafeFileHandle> _forgotten = []; // which stay open, too: what Locate gave may be in use

    private ImageRoot(string root, SafeFileHandle handle) => (_root, _handle) = (root, handle);

    /// <param name="root">The directory; a link to it is followed, as the operator has named it.</param>
    /// <returns>Null where the directory is not there, or the kernel cannot do it (Linux before 5.6).</returns>
    public static ImageRoot? TryOpen(string root)
    {
        var handle = new SafeFileHandle(LibC.OpenFile($"{root}/", (int)PathOnlyNotInherited), ownsHandle: true);
        if (handle.IsInvalid)
            return null;
        using var probe = Open(handle, "/");
        return probe.IsInvalid ? null : new ImageRoot(root, handle);
    }

    /// <summary>Where this process finds a file of the image. A link at the end of the path is not followed.</summary>
    /// <param name="path">As the image has it.</param>
    /// <exception cref="InstallException">It has no name at its end.</exception>
    public string Locate(string path)
    {
        var name = Path.GetFileName(path);
        if (name is "" or "." or "..")
            throw new InstallException($"{path} is no file of {_root}");
        return DirectoryOf(Path.GetDirectoryName(path)!) is { } directory ? $"{NameOf(directory)}/{name}" : $"{NameOf(_handle)}/{Missing}/{name}";
    }

    /// <summary>Directories have been made or removed.</summary>
    public void ForgetDirectories()
    {
        _forgotten.AddRange(_directories.Values);
        _directories.Clear();
    }

    private static string NameOf(SafeFileHandle handle) => $"/proc/self/fd/{handle.DangerousGetHandle()}";

    private SafeFileHandle? DirectoryOf(string path)
    {
        if (_directories.TryGetValue(path, out var known))
            return known;
        var found = Open(_handle, path);
        if (found.IsInvalid)
            return null;
        _directories.Add(path, found);
        return found;
    }

    private static unsafe SafeFileHandle Open(SafeFileHandle root, string path)
    {
        Span<ulong> how = [PathOnlyNotInherited, 0, InRootWithoutMagicLinks]; // struct open_how
        fixed (ulong* pointer = how)
            return new SafeFileHandle(SystemCall(OpenAt2, root.DangerousGetHandle(), path, pointer, sizeof(ulong) * (nuint)how.Length), ownsHandle: true);
    }

    [LibraryImport(LibC.Name, EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint SystemCall(nint number, nint root, string path, void* how, nuint size);
}
