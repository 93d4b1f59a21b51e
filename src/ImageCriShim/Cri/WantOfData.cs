namespace ImageCriShim.Cri;

/// <summary>
/// Tells a pull that waited for data in vain from one that failed for a reason of the node (a full disk, a layer that cannot be unpacked),
/// of the image (another digest) or of the caller (its deadline). Runtimes have no code for it, so it is told by what Go and they say.
/// </summary>
internal static class WantOfData
{
    /// <summary>
    /// containerd cancels a pull that makes no progress (<c>image_pull_progress_timeout</c>), and so do CRI-O
    /// (<c>pull_progress_timeout</c>) and cri-dockerd (<c>image-pull-progress-deadline</c>); the rest is what Go's network says of a peer
    /// that is silent or gone. docker gives each of its requests 15 s, and says so in Go's words.
    /// </summary>
    private static readonly string[] s_reasons =
    [
        "context canceled", "i/o timeout", "unexpected eof", "connection reset by peer", "tls handshake timeout",
        "timeout awaiting response headers", "client connection lost", "progress timeout", "image pull progress deadline",
        OfRequest, "connection timed out",
    ];

    /// <summary>The whole of a request's own time, which Go may call an exceeded deadline.</summary>
    private const string OfRequest = "client.timeout exceeded";

    private const string Deadline = "deadline exceeded";

    /// <summary>The last word of Go's on a connection that was closed while it waited for an answer.</summary>
    private const string Closed = ": eof";

    private static readonly string[] s_others =
    [
        "no space left", "quota exceeded", "read-only file system", "input/output error", "failed to unpack", "failed to extract",
        "failed to prepare", "commit digest", "commit size", "digest mismatch", "digest did not match", "verification failed for digest",
        "failed to register layer", "adding layer with blob", "processing tar file", "committing the finished image",
    ];

    internal static bool IsReasonOf(GrpcStatus status)
    {
        // A deadline is the caller's: the runtime has none of its own.
        if (status.Code is StatusCode.Ok or StatusCode.DeadlineExceeded)
            return false;
        if (Array.Exists(s_others, Says) || (Says(Deadline) && !Says(OfRequest)))
            return false;
        return Array.Exists(s_reasons, Says) || status.Message.EndsWith(Closed, StringComparison.OrdinalIgnoreCase);

        // Each has a space in it, so no image can be named so that its name says it.
        bool Says(string words) => status.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
    }
}
