using System.IO.Compression;

namespace ImageCriShim.Registries;

/// <summary>
/// Bodies from outside are read up to a limit. What is not read is thrown away with the connection (see <see cref="RegistryConnections"/>). Nobody asks for
/// compressed ones (<c>Accept-Encoding: identity</c>); one that comes with gzip all the same is unpacked, and the limit is for what comes out.
/// </summary>
internal static class BoundedBody
{
    /// <param name="held">Counts what is read; null where a few of them are nothing to count.</param>
    /// <returns>Null if it is larger.</returns>
    /// <exception cref="IOException">It ended too early.</exception>
    /// <exception cref="OwnLimitException">All that are read at the same time are too much.</exception>
    public static async Task<byte[]?> Read(HttpContent content, int maxBytes, CancellationToken cancellation, HeldBodies? held = null)
    {
        if (content.Headers.ContentLength > maxBytes)
            return null;
        using var buffer = new MemoryStream();
        await using var stream = Unpack(content, await content.ReadAsStreamAsync(cancellation));
        var chunk = new byte[16 * 1024];
        int read;
        try
        {
            while ((read = await stream.ReadAsync(chunk, cancellation)) > 0)
            {
                if (buffer.Length + read > maxBytes)
                    return null;
                held?.Add(read);
                buffer.Write(chunk, 0, read);
            }
            return buffer.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new BrokenBodyException("its answer says gzip and is not", e);
        }
        finally
        {
            held?.Remove((int)buffer.Length);
        }
    }

    /// <summary><c>x-gzip</c> is the same (RFC 9110 section 8.4.1.3).</summary>
    private static Stream Unpack(HttpContent content, Stream stream) =>
        content.Headers.ContentEncoding.Any(coding => coding.ToLowerInvariant() is "gzip" or "x-gzip") ? new GZipStream(stream, CompressionMode.Decompress) : stream;
}

/// <summary>A body is not in the form that its headers say.</summary>
/// <param name="message">For people.</param>
/// <param name="cause">Of the decoder.</param>
internal sealed class BrokenBodyException(string message, Exception cause) : IOException(message, cause);

/// <summary>How much of registries' answers is in memory at once.</summary>
internal sealed class HeldBodies
{
    /// <summary>An index is some KiB, and hardly one is larger than 100. As it is read a body may be there three times.</summary>
    public const long MaxBytes = 64L * 1024 * 1024;

    private long _bytes;

    /// <exception cref="OwnLimitException">Nothing was counted.</exception>
    public void Add(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= MaxBytes)
            return;
        Remove(bytes);
        throw new OwnLimitException($"answers of registries that are read at the same time are larger than {MaxBytes / 1024 / 1024} MiB, the limit for all of them");
    }

    public void Remove(int bytes) => Interlocked.Add(ref _bytes, -bytes);
}
