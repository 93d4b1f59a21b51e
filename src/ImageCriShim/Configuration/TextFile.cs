namespace ImageCriShim.Configuration;

/// <summary>The text of a file that an operator names.</summary>
internal static class TextFile
{
    /// <returns>Null where it is larger. A file of /proc does not say how large it is, so that is not asked for but found out.</returns>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static string? Read(string path, int maxBytes)
    {
        using var file = RegularFile.OpenRead(path);
        using var content = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = file.Read(chunk)) > 0;)
        {
            if (content.Length + read > maxBytes)
                return null;
            content.Write(chunk, 0, read);
        }

        content.Position = 0;
        using var reader = new StreamReader(content);
        return reader.ReadToEnd();
    }
}
