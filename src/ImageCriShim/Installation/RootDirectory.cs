using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim.Installation;

/// <summary>
/// The directory that a node's paths begin at. Of an image the kernel looks up what lies below it as if it were the root directory (openat2(2),
/// RESOLVE_IN_ROOT): neither <c>..</c> nor a link leads out of it, whoever has made the image, and even if it changes meanwhile. A kernel
/// that cannot do so (Linux before 5.6, some sandboxes) is asked for one name after the other, and follows no link.
/// </summary>
internal sealed partial class RootDirectory
{
    private const int OpenAt2 = 437; // the system call's number, the same on all architectures
    private const ulong InRootWithoutMagicLinks = 0x10 | 0x02; // RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
    private const int TryAgain = 11; // EAGAIN: something was renamed on the way, so that the kernel is not sure of ".."
    private const int Tries = 1000;

    private readonly SafeFileHandle _handle;
    private readonly Func<string, SafeFileHandle> _open;

    private RootDirectory(SafeFileHandle handle, bool isImage, bool asksTheKernel)
    {
        _handle = handle;
        _open = isImage ? asksTheKernel && CanOpenInRoot() ? OpenInRoot : Walk : path => NodeDirectory.OpenAt(_handle, $".{path}", NodeDirectory.PathOnly);
    }

    /// <param name="path">The directory; a link to it is followed, as the operator has named it.</param>
    /// <param name="isImage">Whether no path may lead out of it.</param>
    /// <param name="asksTheKernel">False: as where the kernel cannot look up below a directory.</param>
    public static RootDirectory Open(string path, bool isImage, bool asksTheKernel = true) =>
        new(new SafeFileHandle(LibC.OpenFile($"{path}/", NodeDirectory.PathOnly), ownsHandle: true), isImage, asksTheKernel);

    /// <returns>Null where there is no such directory.</returns>
    /// <param name="path">Of the node, from its root on.</param>
    public NodeDirectory? TryOpen(string path)
    {
        if (_handle.IsInvalid)
            return null;
        var found = _open(path);
        if (!found.IsInvalid)
            return new NodeDirectory(found);
        found.Dispose();
        return null;
    }

    private bool CanOpenInRoot()
    {
        using var probe = OpenInRoot("/");
        return !probe.IsInvalid;
    }

    private SafeFileHandle OpenInRoot(string path)
    {
        for (var tries = 0; ; tries++)
        {
            var found = OpenInRootOnce(path);
            if (!found.IsInvalid || Marshal.GetLastPInvokeError() != TryAgain || tries == Tries)
                return found;
        }
    }

    private unsafe SafeFileHandle OpenInRootOnce(string path)
    {
        Span<ulong> how = [NodeDirectory.PathOnly, 0, InRootWithoutMagicLinks]; // struct open_how
        fixed (ulong* pointer = how)
            return new SafeFileHandle(SystemCall(OpenAt2, _handle, path, pointer, sizeof(ulong) * (nuint)how.Length), ownsHandle: true);
    }

    private SafeFileHandle Walk(string path)
    {
        var at = NodeDirectory.OpenAt(_handle, ".", NodeDirectory.PathOnly);
        foreach (var name in path.Split('/').Where(name => name is not ("" or ".")))
        {
            if (at.IsInvalid)
                break;
            using var above = at;
            at = name == ".." ? new SafeFileHandle() : NodeDirectory.OpenAt(above, name, NodeDirectory.PathOnly | NodeDirectory.NoFollow);
        }

        return at;
    }

    [LibraryImport(LibC.Name, EntryPoint = "syscall", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial nint SystemCall(nint number, SafeFileHandle root, string path, void* how, nuint size);
}
