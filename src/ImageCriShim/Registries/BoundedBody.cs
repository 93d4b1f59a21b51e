namespace ImageCriShim.Registries;

/// <summary>Bodies from outside are read up to a limit. What is not read is thrown away with the connection (see <see cref="RegistryConnections"/>).</summary>
internal static class BoundedBody
{
    /// <returns>Null if it is larger.</returns>
    /// <exception cref="IOException">It ended too early.</exception>
    public static async Task<byte[]?> Read(HttpContent content, int maxBytes, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > maxBytes)
            return null;
        using var buffer = new MemoryStream();
        var stream = await content.ReadAsStreamAsync(cancellation);
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(chunk, cancellation)) > 0)
        {
            if (buffer.Length + read > maxBytes)
                return null;
            buffer.Write(chunk, 0, read);
        }
        return buffer.ToArray();
    }
}
