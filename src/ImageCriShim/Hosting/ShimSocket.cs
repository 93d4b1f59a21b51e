using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim.Hosting;

/// <summary>Our socket file: made, guarded like the runtime's, taken away again.</summary>
internal sealed class ShimSocket : IDisposable
{
    // Callers are few; the kernel's own bound (net.core.somaxconn) is 4096.
    private const int Backlog = 512;

    private readonly string _path;
    private readonly FileIdentity _identity;

    private ShimSocket(string path, Socket listener)
    {
        (_path, Listener) = (path, listener);
        _identity = FileIdentity.Find(path)!;
    }

    internal Socket Listener { get; }

    /// <exception cref="ShimSocketException">Somebody lives on it, or it cannot be made; the message is for the operator.</exception>
    internal static ShimSocket Listen(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            RemoveStale(path);
            var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            // Bound under another name and renamed, so that whoever sees the file can also connect to it, and nobody too early.
            var unfinished = $"{path}.{Environment.ProcessId}";
            File.Delete(unfinished);
            listener.Bind(new UnixDomainSocketEndPoint(unfinished));
            File.SetUnixFileMode(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(Backlog);
            File.Move(unfinished, path, overwrite: true);
            return new ShimSocket(path, listener);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ShimSocketException($"shim: cannot listen on {path}: {Describe(e)}");
        }
    }

    /// <summary>Gives it the owner and the mode of the runtime's socket: who may call the runtime may call us, nobody else.</summary>
    /// <returns>False where the runtime's socket is not there or its owner cannot be copied: root alone may call us then.</returns>
    internal bool TryCopyAccess(string runtimePath)
    {
        if (FileIdentity.Find(runtimePath) is not { } runtime)
            return false;
        if (Chown(_path, runtime.User, runtime.Group) != 0)
            return false;
        File.SetUnixFileMode(_path, runtime.Mode);
        return true;
    }

    /// <summary>Stops accepting. The file goes, unless it is another's by now.</summary>
    public void Dispose()
    {
        if (FileIdentity.Find(_path) is { } now && now.Inode == _identity.Inode && now.Device == _identity.Device)
            File.Delete(_path);
        Listener.Dispose();
    }

    private static void RemoveStale(string path)
    {
        if (FileIdentity.Find(path) is not { } found)
            return;
        if (!found.IsSocket)
            throw new ShimSocketException($"shim: {path} exists and is not a socket; remove it or name another path");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return; // left behind by a process that is gone; it is replaced
        }

        throw new ShimSocketException($"shim: another process is already serving {path}; is image-cri-shim running?");
    }

    // In words of our own: the published program carries no framework messages.
    private static string Describe(Exception e) => e switch
    {
        SocketException socket => $"{socket.SocketErrorCode}",
        UnauthorizedAccessException => "this process may not write there",
        ArgumentException => "the path is longer than a socket's may be (107 bytes, unix(7)), or is none",
        _ => "its directory cannot be written to",
    };

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);
}

/// <summary>Our socket cannot be had; the message says why and what to do.</summary>
internal sealed class ShimSocketException(string message) : Exception(message);
