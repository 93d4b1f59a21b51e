using System.Diagnostics;

namespace ImageCriShim.Tests.Faults;

/// <summary>A call as its caller saw it; times are on the clock of <see cref="Stopwatch"/>.</summary>
internal readonly record struct CallSeen(string Caller, string Method, long Begun, long Ended, GrpcStatus Status, string Text)
{
    public bool Failed => Status != GrpcStatus.Ok;

    public TimeSpan Took => Stopwatch.GetElapsedTime(Begun, Ended);

    public override string ToString() => $"{Caller}: {Method} after {Took.TotalMilliseconds:0} ms: {Status} {Text}";
}
