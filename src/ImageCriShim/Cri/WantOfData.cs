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
    /// that is silent or gone.
    /// </summary>
    private static readonly string[] s_reasons =
    [
        "context canceled", "i/o timeout", "unexpected eof", "connection reset by peer", "tls handshake timeout",
        "timeout awaiting response headers", "client connection lost", "progress timeout", "image pull progress deadline",
    ];

    private static readonly string[] s_others =
    [
        "no space left", "quota exceeded", "read-only file system", "input/output error", "failed to unpack", "failed to extract",
        "failed to prepare", "commit digest", "commit size", "digest mismatch", "deadline exceeded",
    ];

    internal static bool IsReasonOf(GrpcStatus status)
    {
        // A deadline is the caller's: the runtime has none of its own.
        if (status.Code is StatusCode.Ok or StatusCode.DeadlineExceeded)
            return false;
        return Array.Exists(s_reasons, Says) && !Array.Exists(s_others, Says);

        // Each has a space in it, so no image can be named so that its name says it.
        bool Says(string words) => status.Message.Contains(words, StringComparison.OrdinalIgnoreCase);
    }
}
