using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ImageCriShim;

/// <summary>How many files and sockets this process may have open (RLIMIT_NOFILE), and how it looks when they are used up.</summary>
internal static partial class Descriptors
{
    private const int OfThisProcess = 24; // EMFILE
    private const int OfTheMachine = 23; // ENFILE

    /// <summary>
    /// Callers do not get the last ones: ours are pulls, registries, helpers and the record, and .NET ends the process ("Out of memory") if it
    /// wants a thread for its pool and has no descriptor for starting it.
    /// </summary>
    internal const int MaxReserve = 32;

    /// <summary>In force now; 0 where nobody says.</summary>
    internal static long Limit
    {
        get
        {
            const int openFiles = 7; // RLIMIT_NOFILE
            return GetLimit(openFiles, out var limit) == 0 ? limit.Current : 0;
        }
    }

    /// <summary>For people, with what to do.</summary>
    internal static string Exhausted => $"this process has no file descriptor left; its limit is {Limit} (LimitNOFILE of its unit, ulimit -n)";

    /// <summary>For people, with what to do.</summary>
    internal static string Short => $"this process has hardly a file descriptor left; its limit is {Limit} (LimitNOFILE of its unit, ulimit -n)";

    /// <summary>Of the limit in force now: a low one is shared out.</summary>
    internal static long Reserve => Math.Min(MaxReserve, Limit / 4);

    /// <summary>Those that nobody but .NET itself and the files that are read and written may have.</summary>
    internal static long LastReserve => Reserve / 4;

    /// <summary>
    /// How many numbers are left above this one, which was opened just now. The kernel gives the lowest that is free: whoever closes what was
    /// given too high a number keeps all above it free.
    /// </summary>
    internal static long LeftAbove(SafeHandle newest) => Limit > 0 ? Limit - 1 - newest.DangerousGetHandle() : long.MaxValue;

    /// <summary>Whether that is what failed.</summary>
    internal static bool AreExhausted(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } or Win32Exception { NativeErrorCode: OfThisProcess or OfTheMachine }
                or IOException { HResult: OfThisProcess or OfTheMachine })
                return true;
        }

        return false;
    }

    [LibraryImport(LibC.Name, EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetLimit(int resource, out ResourceLimit limit);

    private struct ResourceLimit
    {
        internal long Current;
        internal long Most;
    }
}
