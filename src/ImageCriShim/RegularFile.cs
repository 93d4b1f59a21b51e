namespace ImageCriShim;

/// <summary>
/// Reading what must be a file. To open a pipe waits for who writes to it, and to read a terminal for who types: neither a start nor a call
/// may hang on what stands at a path, so anything else is refused before it is opened.
/// </summary>
internal static class RegularFile
{
    /// <exception cref="NotAFileException"/>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException">Also of a directory.</exception>
    internal static FileStream OpenRead(string path)
    {
        const int nonBlocking = 0x800; // O_NONBLOCK
        if (FileIdentity.Find(path)?.WhyNoFile is { } why)
            throw new NotAFileException(why);
        var file = File.OpenRead(path);
        // Some files of /proc and /sys look regular and wait all the same (kmsg, trace_pipe): then to read fails at once.
        LibC.SetStatusFlags((int)file.SafeFileHandle.DangerousGetHandle(), nonBlocking);
        return file;
    }
}

/// <summary>There is something at the path, but no file.</summary>
/// <param name="what">To follow the path in a sentence.</param>
internal sealed class NotAFileException(string what) : IOException(what);
