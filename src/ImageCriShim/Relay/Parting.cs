using System.Diagnostics;

namespace ImageCriShim.Relay;

/// <summary>How one caller is sent away by a shim that stops; looked at every few milliseconds.</summary>
internal sealed class Parting(RelayConnection connection)
{
    // Whoever has just connected is about to call, and hears of the end behind that call: there are HTTP/2 stacks that give the call up
    // where a GOAWAY is among the first frames that they see, although it has not been sent (.NET's, seen with 10).
    private static readonly TimeSpan s_newcomer = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_hearing = TimeSpan.FromSeconds(1); // a caller that has not answered by then is not there, or stopped

    // Callers close a connection that they have left. Were we to do it, a PING of theirs would fail and may cost the answer that it follows.
    private static readonly TimeSpan s_leaving = TimeSpan.FromMilliseconds(250);

    private readonly long _begun = Stopwatch.GetTimestamp();
    private long? _told;
    private long? _quiet; // since then
    private bool _hasHeard;

    /// <summary>Whether the caller waits for an answer.</summary>
    internal bool IsWaitedFor { get; private set; }

    internal void Look()
    {
        (IsWaitedFor, var isQuiet, var hasCalled, _hasHeard) = connection.Look();
        var now = Stopwatch.GetTimestamp();
        _quiet = isQuiet ? _quiet ?? now : null;
        if (_told is not null || (!hasCalled && Stopwatch.GetElapsedTime(_begun) < s_newcomer))
            return;
        connection.SayFarewell();
        _told = now;
    }

    /// <param name="areOnlyEndlessLeft">Nobody waits for an answer, here or elsewhere.</param>
    internal void EndIfDue(bool areOnlyEndlessLeft)
    {
        var isTimeToHearOver = IsOver(_told, s_hearing);
        // Whoever has not heard may be sending a call just now.
        if ((_hasHeard && IsOver(_quiet, s_leaving)) || (isTimeToHearOver && _quiet is not null) || (areOnlyEndlessLeft && (_hasHeard || isTimeToHearOver)))
            connection.End();
    }

    private static bool IsOver(long? since, TimeSpan time) => since is { } began && Stopwatch.GetElapsedTime(began) >= time;
}
