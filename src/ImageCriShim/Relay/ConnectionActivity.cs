namespace ImageCriShim.Relay;

/// <summary>What goes on on one connection at a moment.</summary>
/// <param name="OldestCall">When the oldest call began that the caller waits for, by <see cref="System.Diagnostics.Stopwatch"/>; null if there is none.</param>
/// <param name="IsWaitedFor">The caller waits for a response, or for the rest of one.</param>
/// <param name="IsQuiet">No call is open, and nothing waits to be sent to the caller.</param>
/// <param name="HasCalled">There has been a call.</param>
/// <param name="HasHeard">The caller has answered the PING behind our GOAWAY: it begins no more calls here.</param>
internal readonly record struct ConnectionActivity(long? OldestCall, bool IsWaitedFor, bool IsQuiet, bool HasCalled, bool HasHeard);
