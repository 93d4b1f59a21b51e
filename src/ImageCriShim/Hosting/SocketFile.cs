using System.Net.Sockets;
using ImageCriShim.Relay;

namespace ImageCriShim.Hosting;

/// <summary>
/// The file of a socket that we listen on: made under another name, so that whoever sees it can connect to it with the rights that it is to
/// have; given its name when it is served; taken away again, unless it is another's by then.
/// </summary>
internal sealed class SocketFile
{
    private readonly Lock _gate = new(); // a signal may come at any time
    private readonly FileIdentity? _ours;

    private SocketFile(string path, string unfinished, Socket listener) =>
        (Path, Current, Listener, _ours) = (path, unfinished, listener, FileIdentity.Find(unfinished));

    /// <summary>Where callers find it.</summary>
    internal string Path { get; }

    /// <summary>Where it is at the moment.</summary>
    internal string Current { get; private set; }

    internal Socket Listener { get; }

    /// <summary>Whether the file that leads to us is there.</summary>
    internal bool IsOurs => _ours?.IsSameFile(FileIdentity.Find(Current)) is true;

    /// <param name="path">Its directory is made where it is missing.</param>
    /// <param name="backlog">How many may wait to be accepted.</param>
    /// <exception cref="SocketException"/>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    /// <exception cref="ArgumentException">The path is too long, or none.</exception>
    internal static SocketFile Listen(string path, int backlog)
    {
        var directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        // Short, as socket paths must be.
        var unfinished = System.IO.Path.Combine(directory, $".{Environment.ProcessId}{System.IO.Path.GetExtension(path)}");
        File.Delete(unfinished);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(unfinished));
        File.SetUnixFileMode(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(backlog);
        return new SocketFile(path, unfinished, listener);
    }

    /// <summary>The file of a socket that another process of ours has made, and leaves to this one.</summary>
    internal static SocketFile Adopt(string path, Socket listener) => new(path, path, listener);

    /// <summary>Gives it its name, in place of whatever is there. Does nothing once it has been taken away.</summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    internal void Appear()
    {
        lock (_gate)
        {
            if (Current == Path || !File.Exists(Current))
                return;
            File.Move(Current, Path, overwrite: true);
            Current = Path;
        }
    }

    /// <summary>Unless it is another's.</summary>
    internal void TakeAway()
    {
        lock (_gate)
        {
            if (IsOurs)
                File.Delete(Current);
        }
    }
}
