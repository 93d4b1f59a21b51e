namespace ImageCriShim.Registries.Auth;

/// <summary>
/// A small file that somebody else writes. It is read whenever it is asked for: looking whether it has changed would cost as much and would miss
/// the changes of a Kubernetes Secret, whose files stay the same symlinks while a directory beside them is replaced.
/// </summary>
internal static class SmallFile
{
    /// <summary>To follow its path in a sentence.</summary>
    public const string OpenToAll = "may be read by everybody on this machine; chmod o-rwx it";

    /// <param name="path">Absolute.</param>
    /// <param name="maxBytes">More is a mistake.</param>
    /// <param name="problem">Why it could not be read, to follow the path in a sentence.</param>
    /// <returns>Null where it could not.</returns>
    public static byte[]? TryRead(string path, int maxBytes, out string problem)
    {
        problem = "";
        try
        {
            using var file = RegularFile.OpenRead(path);
            if (file.Length > maxBytes)
            {
                problem = $"is larger than {maxBytes / 1024} KiB; is it the right file?";
                return null;
            }
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = WhyUnreadable(path, e);
            return null;
        }
    }

    /// <summary>What an operator should know about a file with secrets, without reading it; null if there is nothing to say.</summary>
    public static string? FindWarning(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            return (File.GetUnixFileMode(file.SafeFileHandle) & UnixFileMode.OtherRead) == 0 ? null : OpenToAll;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return WhyUnreadable(path, e);
        }
    }

    private static string WhyUnreadable(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "is not there",
        UnauthorizedAccessException => Directory.Exists(path) ? "is a directory; name a file" : "may not be read by this process",
        NotAFileException => $"{e.Message}; name a file",
        _ when Descriptors.AreExhausted(e) => $"cannot be read: {Descriptors.Exhausted}",
        _ => "cannot be read",
    };
}
