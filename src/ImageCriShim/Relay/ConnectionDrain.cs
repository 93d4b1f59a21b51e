using System.Diagnostics;

namespace ImageCriShim.Relay;

/// <summary>How one caller is sent to a new connection without losing a call. It is looked at every few milliseconds.</summary>
/// <param name="connection">The caller's.</param>
/// <param name="newcomer">How long a caller that has just connected is given to make its first call.</param>
internal sealed class ConnectionDrain(RelayConnection connection, TimeSpan newcomer)
{
    // It is about to call, and is told behind that call: some HTTP/2 stacks give the call up where a GOAWAY is among the first frames that they
    // see, although the call has not been sent (.NET's, seen with 10).
    internal static readonly TimeSpan Newcomer = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_hearing = TimeSpan.FromSeconds(1); // a caller that has not answered the PING by then has stopped

    // Callers close a connection that they have left. Closed by us, a PING of theirs would fail and could cost the response before it.
    internal static readonly TimeSpan Leaving = TimeSpan.FromMilliseconds(250);

    private readonly long _begun = Stopwatch.GetTimestamp();
    private ConnectionActivity _activity;
    private long? _told;
    private long? _quiet; // since then

    /// <summary>Whether the caller waits for a response.</summary>
    internal bool IsWaitedFor => _activity.IsWaitedFor;

    /// <summary>Whether the caller begins no more calls here: it said so, or it has not answered for so long that it has stopped.</summary>
    internal bool IsLeft => _activity.HasHeard || IsOver(_told, s_hearing);

    /// <summary>Looks at the connection, and sends GOAWAY once.</summary>
    internal void Look()
    {
        _activity = connection.Look();
        var now = Stopwatch.GetTimestamp();
        _quiet = _activity.IsQuiet ? _quiet ?? now : null;
        if (_told is not null || (!_activity.HasCalled && Stopwatch.GetElapsedTime(_begun) < newcomer))
            return;
        connection.SayFarewell();
        _told = now;
    }

    /// <summary>Closes the connection if the caller had the time to do it and has not.</summary>
    internal void CloseIfLeft()
    {
        if (IsLeft && IsOver(_quiet, Leaving))
            connection.End();
    }

    private static bool IsOver(long? since, TimeSpan time) => since is { } began && Stopwatch.GetElapsedTime(began) >= time;
}
