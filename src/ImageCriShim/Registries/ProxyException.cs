using System.Net;

namespace ImageCriShim.Registries;

/// <summary>An entry of <c>NO_PROXY</c>; <see cref="SystemProxy"/> lists the forms.</summary>
internal abstract record ProxyException
{
    public abstract bool Matches(Uri destination);

    /// <returns>Null if it is none.</returns>
    public static ProxyException? Parse(string text)
    {
        text = text.Trim().ToLowerInvariant();
        if (text == "*")
            return new Everything();
        if (ParseRange(text) is { } range)
            return range;
        var (host, port) = SplitPort(text);
        if (TryParseAddress(host, out var address))
            return new Address(address, port);
        if (host.StartsWith("*.", StringComparison.Ordinal))
            host = host[1..];
        return host is "" or "." ? null : new Name(host.TrimStart('.'), port, IsItselfMeant: host[0] != '.');
    }

    private static Range? ParseRange(string text)
    {
        var slash = text.IndexOf('/');
        return slash > 0 && TryParseAddress(text[..slash], out var start) && int.TryParse(text.AsSpan(slash + 1), out var bits)
            && bits >= 0 && bits <= start.GetAddressBytes().Length * 8 ? new Range(start, bits) : null;
    }

    /// <summary>An IPv6 address with a port stands in brackets; without, its colons are its own.</summary>
    private static (string Host, int? Port) SplitPort(string text)
    {
        var colon = text.LastIndexOf(':');
        var hasPort = colon >= 0 && (text.IndexOf(':') == colon || text[..colon].EndsWith(']'));
        if (!hasPort)
            return (text, null);
        return int.TryParse(text.AsSpan(colon + 1), out var port)
            ? (text[..colon].Trim('[', ']'), port)
            : (text[..colon].Trim('[', ']'), colon == text.Length - 1 ? null : -1); // no such port: it matches nothing
    }

    /// <summary>The framework takes <c>10.1</c> for an address as well.</summary>
    private static bool TryParseAddress(string text, out IPAddress address)
    {
        var parsed = IPAddress.TryParse(text, out var found) && (text.Contains(':') || text.Count(c => c == '.') == 3);
        address = parsed ? Plain(found!) : IPAddress.None;
        return parsed;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private sealed record Everything : ProxyException
    {
        public override bool Matches(Uri destination) => true;
    }

    private sealed record Range(IPAddress Start, int Bits) : ProxyException
    {
        public override bool Matches(Uri destination)
        {
            if (!TryParseAddress(destination.IdnHost, out var address))
                return false;
            var (start, asked) = (Start.GetAddressBytes(), address.GetAddressBytes());
            if (start.Length != asked.Length)
                return false;
            for (var bit = 0; bit < Bits; bit++)
            {
                if (((start[bit / 8] ^ asked[bit / 8]) & (0x80 >> bit % 8)) != 0)
                    return false;
            }
            return true;
        }
    }

    private sealed record Address(IPAddress Is, int? Port) : ProxyException
    {
        public override bool Matches(Uri destination) =>
            TryParseAddress(destination.IdnHost, out var address) && Is.Equals(address) && (Port ?? destination.Port) == destination.Port;
    }

    private sealed record Name(string Is, int? Port, bool IsItselfMeant) : ProxyException
    {
        public override bool Matches(Uri destination)
        {
            var host = destination.IdnHost;
            var isBelow = host.Length > Is.Length && host.EndsWith(Is, StringComparison.Ordinal) && host[^(Is.Length + 1)] == '.';
            return (isBelow || (IsItselfMeant && host == Is)) && (Port ?? destination.Port) == destination.Port;
        }
    }
}
