using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ImageCriShim.Inspection;

/// <summary>Lists the unix sockets that processes are connected to, as the kernel knows them (sock_diag(7)).</summary>
internal static partial class UnixPeers
{
    private const int NetlinkFamily = 16; // AF_NETLINK
    private const int RawAndNotInherited = 3 | 0x80000; // SOCK_RAW | SOCK_CLOEXEC
    private const int SocketDiagnosis = 4; // NETLINK_SOCK_DIAG
    private const int HeaderBytes = 16; // struct nlmsghdr
    private const int MessageBytes = 16; // struct unix_diag_msg
    private const int BufferBytes = 64 * 1024; // the kernel sends at most 32 KiB at once
    private const ushort IsError = 2; // NLMSG_ERROR
    private const ushort IsDone = 3; // NLMSG_DONE
    private const ushort Name = 0; // UNIX_DIAG_NAME
    private const ushort Peer = 2; // UNIX_DIAG_PEER

    /// <returns>The paths of the sockets; empty where the kernel does not tell.</returns>
    public static IReadOnlySet<string> Of(IEnumerable<int> processes)
    {
        var own = processes.SelectMany(Inodes).ToList();
        var all = own.Count == 0 ? [] : Dump();
        return own.Select(NameOfPeer).Where(name => name.Length > 0).ToHashSet();

        string NameOfPeer(uint inode) => all.TryGetValue(inode, out var socket) && all.TryGetValue(socket.Peer, out var peer) ? peer.Name : "";
    }

    private static IEnumerable<uint> Inodes(int process)
    {
        const string socket = "socket:[";
        try
        {
            return [.. from descriptor in Directory.EnumerateFileSystemEntries($"/proc/{process}/fd")
                       let target = new FileInfo(descriptor).LinkTarget
                       where target?.StartsWith(socket, StringComparison.Ordinal) == true
                       select uint.Parse(target[socket.Length..].TrimEnd(']'), CultureInfo.InvariantCulture)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it has gone, or may not be seen
        }
    }

    private static Dictionary<uint, (string Name, uint Peer)> Dump()
    {
        var sockets = new Dictionary<uint, (string, uint)>();
        var handle = OpenSocket(NetlinkFamily, RawAndNotInherited, SocketDiagnosis);
        if (handle < 0)
            return sockets;
        try
        {
            var request = Request();
            var buffer = new byte[BufferBytes];
            if (Send(handle, request, request.Length, 0) != request.Length)
                return sockets;
            while (Receive(handle, buffer, buffer.Length, 0) is > 0 and var length && Read(buffer.AsSpan(0, (int)length), sockets))
            {
            }

            return sockets;
        }
        finally
        {
            _ = CloseSocket(handle);
        }
    }

    /// <summary>struct nlmsghdr and struct unix_diag_req: all sockets in any state, with their names and peers.</summary>
    private static byte[] Request()
    {
        const ushort byFamily = 20; // SOCK_DIAG_BY_FAMILY
        const ushort requestAll = 0x301; // NLM_F_REQUEST | NLM_F_DUMP
        const uint nameAndPeer = 1 | 4; // UDIAG_SHOW_NAME | UDIAG_SHOW_PEER
        var request = new byte[HeaderBytes + 24];
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(4), byFamily);
        BinaryPrimitives.WriteUInt16LittleEndian(request.AsSpan(6), requestAll);
        request[HeaderBytes] = 1; // AF_UNIX
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(HeaderBytes + 4), uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(HeaderBytes + 12), nameAndPeer);
        return request;
    }

    /// <returns>Whether there is more to come.</returns>
    private static bool Read(ReadOnlySpan<byte> messages, Dictionary<uint, (string Name, uint Peer)> sockets)
    {
        while (messages.Length >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(messages);
            var type = BinaryPrimitives.ReadUInt16LittleEndian(messages[4..]);
            if (type is IsError or IsDone || length < HeaderBytes + MessageBytes || length > messages.Length)
                return false;
            var inode = BinaryPrimitives.ReadUInt32LittleEndian(messages[(HeaderBytes + 4)..]);
            sockets[inode] = ReadAttributes(messages[(HeaderBytes + MessageBytes)..length]);
            messages = messages[Math.Min(Aligned(length), messages.Length)..];
        }

        return true;
    }

    private static (string Name, uint Peer) ReadAttributes(ReadOnlySpan<byte> attributes)
    {
        var (name, peer) = ("", 0u);
        while (attributes.Length >= 4)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(attributes);
            var type = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]);
            if (length < 4 || length > attributes.Length)
                break;
            var value = attributes[4..length];
            if (type == Name)
                name = Encoding.UTF8.GetString(value).TrimEnd('\0');
            else if (type == Peer && value.Length >= 4)
                peer = BinaryPrimitives.ReadUInt32LittleEndian(value);
            attributes = attributes[Math.Min(Aligned(length), attributes.Length)..];
        }

        return (name, peer);
    }

    private static int Aligned(int length) => (length + 3) & ~3;

    [LibraryImport(LibC.Name, EntryPoint = "socket")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport(LibC.Name, EntryPoint = "send")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Send(int socket, [In] byte[] buffer, nint length, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "recv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(int socket, [Out] byte[] buffer, nint length, int flags);

    [LibraryImport(LibC.Name, EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseSocket(int socket);
}
