using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageCriShim;

/// <summary>
/// What statx(2) says of a file and .NET does not: owner, inode, what kind of file it is, and when it was written (nanoseconds count). A
/// symlink is what it leads to. Two that are equal are the same file, and nothing has been done to it in between.
/// </summary>
internal sealed partial record FileIdentity(ulong Device, ulong Inode, uint User, uint Group, UnixFileMode Mode, int Type)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint BasicStats = 0x7ff; // STATX_BASIC_STATS
    private const int TypeMask = 0xF000; // S_IFMT
    private const int SocketType = 0xC000; // S_IFSOCK
    private const int PipeType = 0x1000; // S_IFIFO
    private const int CharacterDeviceType = 0x2000; // S_IFCHR
    private const int BlockDeviceType = 0x6000; // S_IFBLK
    private const int LinkType = 0xA000; // S_IFLNK
    private const int DirectoryType = 0x4000; // S_IFDIR
    private const int OfTheDescriptor = 0x1000; // AT_EMPTY_PATH
    private const int PermissionMask = 0xFFF;

    internal bool IsSocket => Type == SocketType;

    internal bool IsDirectory => Type == DirectoryType;

    /// <summary>Of a descriptor alone, since a path is followed to where a link leads.</summary>
    internal bool IsLink => Type == LinkType;

    /// <summary>To follow its path in a sentence; null of a file, and of a directory, which is told of elsewhere.</summary>
    internal string? WhyNoFile => Type switch
    {
        PipeType => "is a pipe, not a file",
        CharacterDeviceType or BlockDeviceType => "is a device, not a file",
        SocketType => "is a socket, not a file",
        _ => null,
    };

    internal ulong Size { get; init; }

    /// <summary>Of the content.</summary>
    internal (long Seconds, uint Nanoseconds) Modified { get; init; }

    /// <summary>Of anything, by the kernel's clock: <c>cp -p</c> cannot hide a change from it.</summary>
    internal (long Seconds, uint Nanoseconds) Changed { get; init; }

    internal bool IsSameFile(FileIdentity? other) => other is not null && (other.Device, other.Inode) == (Device, Inode);

    /// <returns>Null where there is no such file.</returns>
    internal static FileIdentity? Find(string path) => Find(CurrentDirectory, path, flags: 0);

    /// <summary>Of what a descriptor is open on, which may be a link.</summary>
    internal static FileIdentity? Find(SafeFileHandle handle) => Find((int)handle.DangerousGetHandle(), "", OfTheDescriptor);

    private static unsafe FileIdentity? Find(int directory, string path, int flags)
    {
        // struct statx (linux/stat.h): 256 octets, the same on every architecture.
        var buffer = stackalloc byte[256];
        if (Statx(directory, path, flags, BasicStats, buffer) != 0)
            return null;
        var mode = *(ushort*)(buffer + 0x1C);
        return new FileIdentity(
            Device: (ulong)*(uint*)(buffer + 0x88) << 32 | *(uint*)(buffer + 0x8C),
            Inode: *(ulong*)(buffer + 0x20),
            User: *(uint*)(buffer + 0x14),
            Group: *(uint*)(buffer + 0x18),
            Mode: (UnixFileMode)(mode & PermissionMask),
            Type: mode & TypeMask)
        {
            Size = *(ulong*)(buffer + 0x28),
            Modified = (*(long*)(buffer + 0x70), *(uint*)(buffer + 0x78)),
            Changed = (*(long*)(buffer + 0x60), *(uint*)(buffer + 0x68)),
        };
    }

    [LibraryImport(LibC.Name, EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* into);
}
