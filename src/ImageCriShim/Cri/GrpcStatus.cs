namespace ImageCriShim.Cri;

/// <summary>google.rpc.Code, as far as it is given or looked at here.</summary>
internal enum StatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// <summary>How a call ended.</summary>
/// <param name="Message">For people, decoded.</param>
internal sealed record GrpcStatus(StatusCode Code, string Message)
{
    internal bool IsOk => Code is StatusCode.Ok;

    /// <summary>
    /// Whether the runtime is only about to start: a containerd that listens already, and loads what is on the node, answers every call of CRI with
    /// that text; before 2.x it is UNKNOWN.
    /// </summary>
    internal bool IsStarting => this is { Code: StatusCode.Unavailable } or { Code: StatusCode.Unknown, Message: "server is not initialized yet" };

    /// <summary>
    /// Whether the error may be about the name that was asked for, so that the same call with another name may succeed: CRI-O without search
    /// registries answers every short name with UNKNOWN. False where the runtime cannot answer now, whatever the name.
    /// </summary>
    internal bool MayBeAboutTheName => !IsOk && !IsStarting
        && Code is not (StatusCode.Cancelled or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted or StatusCode.Unimplemented);

    /// <summary>How the answer to a watched call ends.</summary>
    internal static GrpcStatus Of(Relay.HeldAnswer answer) => answer.Code is Relay.GrpcCode.Ok
        ? new GrpcStatus(StatusCode.Ok, "")
        : new GrpcStatus((StatusCode)answer.Code, Uri.UnescapeDataString(answer.ErrorText));

    /// <param name="details">Of <see cref="StatusDetails"/>.</param>
    internal Relay.StreamAnswer ToAnswer(KeyValuePair<string, string>? details = null)
    {
        var answer = Relay.StreamAnswer.Error((int)Code, PrintableText.Of(Message));
        return details is { } trailer ? answer with { Trailers = [.. answer.Trailers, trailer] } : answer;
    }
}
