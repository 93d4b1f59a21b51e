using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Hosting;

/// <summary>A request for a page: its first line, and what is posted with it.</summary>
internal sealed record PageRequest(string Line, ReadOnlyMemory<byte> Body)
{
    private const string LengthHeader = "content-length:";

    // One that is too long, in either part, has no first line.
    private static readonly PageRequest s_tooLong = new("", default);

    /// <returns>Null where the caller has ended before all of it had come.</returns>
    public static async Task<PageRequest?> Read(Socket caller, CancellationToken cancellation)
    {
        var buffer = new byte[PageServer.MaxHeadBytes];
        for (var length = 0; length < buffer.Length;)
        {
            var read = await caller.ReceiveAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
                return null;
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and var end)
                return await ReadBody(caller, Encoding.Latin1.GetString(buffer, 0, end), buffer.AsMemory((end + 4)..length), cancellation);
        }

        return s_tooLong;
    }

    private static async Task<PageRequest?> ReadBody(Socket caller, string head, ReadOnlyMemory<byte> begun, CancellationToken cancellation)
    {
        var lines = head.Split("\r\n");
        var header = Array.Find(lines, line => line.StartsWith(LengthHeader, StringComparison.OrdinalIgnoreCase));
        if (header is null)
            return new(lines[0], default);
        if (!int.TryParse(header[LengthHeader.Length..], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var size)
            || size > PageServer.MaxBodyBytes || size < begun.Length)
            return s_tooLong;
        var body = new byte[size];
        begun.CopyTo(body);
        for (var length = begun.Length; length < size;)
        {
            var read = await caller.ReceiveAsync(body.AsMemory(length), cancellation);
            if (read == 0)
                return null;
            length += read;
        }

        return new(lines[0], body);
    }
}
