using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>What a caller said before its message: method, deadline and metadata.</summary>
/// <param name="Path"><c>/service/method</c>.</param>
/// <param name="Timeout">What <c>grpc-timeout</c> allows; null without one.</param>
/// <param name="Encoding"><c>grpc-encoding</c> of the request.</param>
/// <param name="Metadata">Everything that is the caller's own: custom headers, traceparent, user-agent.</param>
internal sealed record CallerHead(string Path, TimeSpan? Timeout, string? Encoding, IReadOnlyList<KeyValuePair<string, string>> Metadata)
{
    /// <summary>The same caller's call of another method, in the same version.</summary>
    /// <param name="method"><c>service/method</c>, such as <c>ImageService/ImageStatus</c>.</param>
    internal CallerHead Of(string method) => this with { Path = string.Concat(Path.AsSpan(0, Path.LastIndexOf('.') + 1), method) };

    /// <param name="renamed">The method's name in the version that the runtime speaks; empty where it is the caller's.</param>
    internal static CallerHead Read(IReadOnlyList<HeaderField> fields, ReadOnlyMemory<byte> renamed = default)
    {
        var (path, timeout, encoding) = ("", (TimeSpan?)null, (string?)null);
        var metadata = new List<KeyValuePair<string, string>>();
        foreach (var field in fields)
        {
            var name = Text(field.Name);
            switch (name)
            {
                case ":path":
                    path = Text(renamed.IsEmpty ? field.Value : renamed);
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

        return new CallerHead(path, timeout, encoding, metadata);
    }

    private static string Text(ReadOnlyMemory<byte> octets) => System.Text.Encoding.Latin1.GetString(octets.Span);
}
