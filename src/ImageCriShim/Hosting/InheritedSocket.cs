using System.Globalization;
using System.Net.Sockets;

namespace ImageCriShim.Hosting;

/// <summary>
/// The listening socket that systemd made and goes on holding (sd_listen_fds(3), systemd.socket(5)): callers wait in it while one process
/// takes over from another.
/// </summary>
internal static class InheritedSocket
{
    private const int First = 3; // SD_LISTEN_FDS_START
    private const string Remedy = "image-cri-shim.socket must have one line that says where to listen: ListenStream=/var/run/image-cri-shim.sock";

    /// <summary>Variables that were meant for the process which started us are none of ours.</summary>
    internal static bool IsThere =>
        int.TryParse(Environment.GetEnvironmentVariable("LISTEN_PID"), CultureInfo.InvariantCulture, out var id) && id == Environment.ProcessId;

    /// <summary>Once: what we start must not take the socket for its own.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="ShimSocketException">What there is cannot be served.</exception>
    internal static Socket? Take()
    {
        var isOurs = IsThere;
        var count = TakeVariable("LISTEN_FDS");
        TakeVariable("LISTEN_PID");
        TakeVariable("LISTEN_FDNAMES");
        return isOurs && int.TryParse(count, CultureInfo.InvariantCulture, out var number) && number > 0 ? Take(number) : null;
    }

    internal static string PathOf(Socket socket) => $"{socket.LocalEndPoint}";

    internal static string? TakeVariable(string name)
    {
        var value = Environment.GetEnvironmentVariable(name);
        if (value is not null)
            Environment.SetEnvironmentVariable(name, null);
        return value;
    }

    private static Socket Take(int count)
    {
        if (count > 1)
            throw new ShimSocketException($"systemd passed {count} sockets, and one is served; {Remedy}");
        const int none = 0;
        LibC.DoNotInherit(First);
        LibC.SetStatusFlags(First, none); // .NET takes over whether it blocks
        var socket = Open();
        return WhatIsWrong(socket) is { } wrong ? throw new ShimSocketException($"systemd passed {wrong}; {Remedy}") : socket!;
    }

    /// <returns>Null where there is nothing behind the number.</returns>
    private static Socket? Open()
    {
        try
        {
            return new Socket(new SafeSocketHandle(First, ownsHandle: true));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static string? WhatIsWrong(Socket? socket)
    {
        if (socket?.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
            return "a socket of the network, which would let other machines call the runtime";
        if (socket?.AddressFamily is not AddressFamily.Unix)
            return "something that is no socket";
        if (socket.SocketType is not SocketType.Stream)
            return "a socket that is not for streams";
        if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is 0)
            return "a connection (Accept=yes), not a socket that listens";
        // It has no file, so its callers cannot be restricted to those who may call the runtime.
        return PathOf(socket).StartsWith('/') ? null : $"the socket {PathOf(socket)}, which is no file, so anybody may call it";
    }
}
