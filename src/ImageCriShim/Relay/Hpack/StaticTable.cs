using System.Text;

namespace ImageCriShim.Relay.Hpack;

/// <summary>RFC 7541 appendix A.</summary>
internal static class StaticTable
{
    /// <summary>The index of <c>:status: 200</c>, the one response status of gRPC.</summary>
    internal const int Status200 = 8;

    private static readonly HeaderField[] s_fields = Parse("""
        :authority
        :method|GET
        :method|POST
        :path|/
        :path|/index.html
        :scheme|http
        :scheme|https
        :status|200
        :status|204
        :status|206
        :status|304
        :status|400
        :status|404
        :status|500
        accept-charset
        accept-encoding|gzip, deflate
        accept-language
        accept-ranges
        accept
        access-control-allow-origin
        age
        allow
        authorization
        cache-control
        content-disposition
        content-encoding
        content-language
        content-length
        content-location
        content-range
        content-type
        cookie
        date
        etag
        expect
        expires
        from
        host
        if-match
        if-modified-since
        if-none-match
        if-range
        if-unmodified-since
        last-modified
        link
        location
        max-forwards
        proxy-authenticate
        proxy-authorization
        range
        referer
        refresh
        retry-after
        server
        set-cookie
        strict-transport-security
        transfer-encoding
        user-agent
        vary
        via
        www-authenticate
        """);

    internal static int Count => s_fields.Length;

    /// <param name="index">1 to 61, as on the wire.</param>
    internal static HeaderField At(int index) => s_fields[index - 1];

    private static HeaderField[] Parse(string table) =>
        [.. table.Split('\n').Select(line => line.Trim().Split('|')).Select(parts => new HeaderField(
            Encoding.ASCII.GetBytes(parts[0]),
            parts.Length > 1 ? Encoding.ASCII.GetBytes(parts[1]) : ReadOnlyMemory<byte>.Empty))];
}
