namespace ImageCriShim.Configuration;

/// <summary>A text that an operator names by its path: a file, or a pipe of a shell.</summary>
internal static class TextFile
{
    /// <returns>Null where it is larger. A device may have no end, so that is not asked for but found out.</returns>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static string? Read(string path, int maxBytes)
    {
        using var file = File.OpenRead(path);
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
