using System.Net.Sockets;
using System.Runtime.InteropServices;
using ImageCriShim.Relay;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Hosting;

/// <summary>
/// Our socket file: made, guarded like the runtime's, taken away again. One that systemd made for us is only guarded: it stays for our successor.
/// </summary>
internal sealed partial class ShimSocket : IDisposable
{
    // Callers are few; the kernel's own bound (net.core.somaxconn) is 4096.
    private const int Backlog = 512;

    private readonly SocketFile? _file; // null: systemd's
    private volatile bool _isHandedOver;

    private ShimSocket(string path, SocketFile? file, Socket listener) => (Path, _file, Acceptor) = (path, file, new Acceptor(listener));

    /// <summary>Where callers find it.</summary>
    internal string Path { get; }

    internal Acceptor Acceptor { get; }

    /// <summary>The socket that systemd made for us, or else one of our own.</summary>
    /// <param name="path">What <c>shim:</c> says.</param>
    /// <exception cref="ShimSocketException">It cannot be used or made; the message is for the operator.</exception>
    internal static ShimSocket Open(string path, ILogger log)
    {
        if (InheritedSocket.Take() is not { } inherited)
            return Listen(path);
        var place = InheritedSocket.PathOf(inherited);
        CheckPlace(place, path, log);
        return new ShimSocket(place, file: null, inherited);
    }

    /// <summary>The socket that the predecessor of this process listens on.</summary>
    /// <param name="listener">Shared with it.</param>
    /// <param name="own">Its file, where we made it; null: systemd did.</param>
    /// <param name="path">What <c>shim:</c> says by now.</param>
    /// <param name="log">Is told if it says something else.</param>
    internal static ShimSocket TakeOver(Socket listener, string? own, string path, ILogger log)
    {
        var place = own ?? InheritedSocket.PathOf(listener);
        CheckPlace(place, path, log);
        return new ShimSocket(place, own is null ? null : SocketFile.Adopt(own, listener), listener);
    }

    /// <summary>
    /// Listens under another name, so that whoever sees the file can also connect to it, with the rights that it is to have, and is
    /// served: <see cref="Appear"/> comes last.
    /// </summary>
    /// <exception cref="ShimSocketException">Somebody lives on it, or it cannot be made; the message is for the operator.</exception>
    internal static ShimSocket Listen(string path)
    {
        try
        {
            CheckStale(path);
            var file = SocketFile.Listen(path, Backlog);
            return new ShimSocket(path, file, file.Listener);
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw CannotListen(path, e);
        }
    }

    /// <summary>Gives it its name, in place of what a process that is gone has left there. Does nothing once disposed of.</summary>
    /// <exception cref="ShimSocketException"/>
    internal void Appear()
    {
        try
        {
            _file?.Appear();
        }
        catch (Exception e) when (IsExpected(e))
        {
            throw CannotListen(Path, e);
        }
    }

    /// <summary>Gives it the owner and the mode of the runtime's socket: who may call the runtime may call us, nobody else.</summary>
    /// <returns>False where that cannot be done: those who might call us before may call us now.</returns>
    internal bool TryTakeAccess(FileIdentity runtime)
    {
        var file = _file?.Current ?? Path;
        if (_file is { IsOurs: false } || Chown(file, runtime.User, runtime.Group) != 0)
            return false;
        try
        {
            File.SetUnixFileMode(file, runtime.Mode);
            return true;
        }
        catch (Exception e) when (IsExpected(e))
        {
            return false; // it has got its name just now, or is gone
        }
    }

    /// <summary>Whether callers reach us. Where the file that leads to us is gone or another's, a new start makes it anew; not so systemd's.</summary>
    internal bool IsServed(TimeSpan patience) => IsReachable && Acceptor.IsAccepting(patience);

    /// <summary>Whether the file is there that leads to us. That systemd's is there is not known, but likely.</summary>
    internal bool IsReachable => _file is not { IsOurs: false };

    /// <summary>The file, where we made it; null: systemd did.</summary>
    internal string? Own => _file?.Path;

    /// <summary>Another process listens on the same socket, which has its file from now on; or, if it is gone, this one has it again.</summary>
    internal bool IsHandedOver
    {
        get => _isHandedOver;
        set => _isHandedOver = value;
    }

    /// <summary>Callers find it no more, if the file is ours.</summary>
    internal void Disappear()
    {
        if (!_isHandedOver)
            _file?.TakeAway();
    }

    /// <summary>Stops accepting. The file goes, unless it is another's.</summary>
    public void Dispose()
    {
        Disappear();
        Acceptor.Dispose();
    }

    private static void CheckPlace(string place, string path, ILogger log)
    {
        if (FileIdentity.Find(place) is not { } found)
            Log.InheritedFileIsGone(log, place);
        else if (!found.IsSameFile(FileIdentity.Find(path)))
            Log.InheritedElsewhere(log, place, path);
    }

    private static void CheckStale(string path)
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

    private static bool IsExpected(Exception e) => e is SocketException or IOException or UnauthorizedAccessException or ArgumentException;

    private static ShimSocketException CannotListen(string path, Exception e) => new($"shim: cannot listen on {path}: {Describe(e)}");

    // In words of our own: the published program carries no framework messages.
    private static string Describe(Exception e) => e switch
    {
        SocketException socket => $"{socket.SocketErrorCode}",
        UnauthorizedAccessException => "this process may not write there",
        ArgumentException => "the path is longer than a socket's may be (107 bytes, unix(7)), or is none",
        _ => "its directory cannot be written to",
    };

    [LibraryImport(LibC.Name, EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Chown(string path, uint user, uint group);
}

/// <summary>Our socket cannot be had; the message says why and what to do.</summary>
internal sealed class ShimSocketException(string message) : Exception(message);
