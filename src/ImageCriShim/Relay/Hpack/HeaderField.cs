using System.Text;

namespace ImageCriShim.Relay.Hpack;

/// <summary>One field line as octets; names and values on the wire need not be text.</summary>
/// <param name="NeverIndexed">The sender asked that it is never put into a table (RFC 7541 section 6.2.3): it may be a secret.</param>
internal readonly record struct HeaderField(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value, bool NeverIndexed = false)
{
    /// <summary>What an entry costs beyond its octets (RFC 7541 section 4.1).</summary>
    internal const int Overhead = 32;

    internal int Size => Name.Length + Value.Length + Overhead;

    internal bool IsNamed(ReadOnlySpan<byte> name) => Name.Span.SequenceEqual(name);

    /// <summary>The name only: a value may be a secret.</summary>
    public override string ToString() => $"{Encoding.Latin1.GetString(Name.Span)}: ...";
}
