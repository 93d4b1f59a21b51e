namespace ImageCriShim.Registries.Connecting;

/// <summary>Keeps the first bytes that a server sends, by which a failed TLS handshake is explained.</summary>
internal sealed class FirstBytes(Stream inner) : WrappedStream(inner)
{
    private const int Kept = 16; // an alert has 7, and a ServerHello's version ends at 11

    private readonly byte[] _bytes = new byte[Kept];
    private int _count;

    public ReadOnlySpan<byte> Seen => _bytes.AsSpan(0, _count);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer, cancellationToken);
        var more = Math.Min(read, Kept - _count);
        if (more > 0)
        {
            buffer.Span[..more].CopyTo(_bytes.AsSpan(_count));
            _count += more;
        }
        return read;
    }
}
