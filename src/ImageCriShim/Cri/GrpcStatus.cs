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

    /// <param name="details">Of <see cref="StatusDetails"/>.</param>
    internal Relay.StreamAnswer ToAnswer(KeyValuePair<string, string>? details = null)
    {
        var answer = Relay.StreamAnswer.Error((int)Code, PrintableText.Of(Message));
        return details is { } trailer ? answer with { Trailers = [.. answer.Trailers, trailer] } : answer;
    }
}
