using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>
/// What a caller said before its message: method, deadline and metadata. Most edited calls never need it, so header fields are looked at
/// when somebody asks.
/// </summary>
internal sealed class CallerHead
{
    private readonly HeaderField[] _fields = [];
    private readonly ReadOnlyMemory<byte> _renamed;
    private Parts? _parts;

    internal CallerHead(string path, TimeSpan? timeout, string? encoding, IReadOnlyList<KeyValuePair<string, string>> metadata) =>
        _parts = new Parts(path, timeout, encoding, metadata);

    private CallerHead(HeaderField[] fields, ReadOnlyMemory<byte> renamed) => (_fields, _renamed) = (fields, renamed);

    /// <summary><c>/service/method</c>, as the runtime is to be asked.</summary>
    internal string Path => Read().Path;

    /// <summary>What <c>grpc-timeout</c> allows; null without one.</summary>
    internal TimeSpan? Timeout => Read().Timeout;

    /// <summary><c>grpc-encoding</c> of the request.</summary>
    internal string? Encoding => Read().Encoding;

    /// <summary>Everything that is the caller's own: custom headers, traceparent, user-agent.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Metadata => Read().Metadata;

    /// <param name="renamed">The method's name in the version that the runtime speaks; empty where it is the caller's.</param>
    internal static CallerHead Of(IReadOnlyList<HeaderField> fields, ReadOnlyMemory<byte> renamed = default) => new([.. fields], renamed);

    /// <summary>The same caller's call of another method, in the same version.</summary>
    /// <param name="method"><c>service/method</c>, such as <c>ImageService/ImageStatus</c>.</param>
    internal CallerHead For(string method) =>
        new(string.Concat(Path.AsSpan(0, Path.LastIndexOf('.') + 1), method), Timeout, Encoding, Metadata);

    private Parts Read()
    {
        if (_parts is { } known)
            return known;
        var (path, timeout, encoding) = ("", (TimeSpan?)null, (string?)null);
        var metadata = new List<KeyValuePair<string, string>>();
        foreach (var field in _fields)
        {
            var name = Text(field.Name);
            switch (name)
            {
                case ":path":
                    path = Text(_renamed.IsEmpty ? field.Value : _renamed);
                    break;
                case "grpc-timeout":
                    timeout = GrpcTimeout.Parse(Text(field.Value));
                    break;
                case "grpc-encoding":
                    encoding = Text(field.Value);
                    break;
                case "te" or "content-type" or "content-length" or "grpc-accept-encoding":
                    break;
                default:
                    if (!name.StartsWith(':'))
                        metadata.Add(new(name, Text(field.Value)));
                    break;
            }
        }

        return _parts = new Parts(path, timeout, encoding, metadata);
    }

    private static string Text(ReadOnlyMemory<byte> octets) => System.Text.Encoding.Latin1.GetString(octets.Span);

    private sealed record Parts(string Path, TimeSpan? Timeout, string? Encoding, IReadOnlyList<KeyValuePair<string, string>> Metadata);
}
