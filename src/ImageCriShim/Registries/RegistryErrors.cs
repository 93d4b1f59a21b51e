using System.Text;
using System.Text.Json;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// Why a registry refuses, in its own words: <c>{"errors":[{"code":"DENIED","message":"...","detail":...}]}</c> (OCI
/// distribution-spec "Error Codes"). The detail is left out: it may be anything.
/// </summary>
internal static class RegistryErrors
{
    private const int MaxBytes = 64 * 1024; // an error is a few hundred bytes

    private const int MaxPlainLength = 200;

    private const string Unauthorized = "UNAUTHORIZED: authentication required"; // distribution's, which says no more than 401 does

    private static readonly string[] s_messages = ["message", "error_description", "details", "detail"];

    /// <param name="reply">A response, and not OK.</param>
    /// <param name="credential">Whose repetition is masked, as is what went along with the request.</param>
    /// <param name="names">What the text may repeat of the question.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <returns>One line for people without a secret in it; null if the answer is not in this form.</returns>
    /// <exception cref="IOException">The registry ended its answer too early.</exception>
    public static async Task<string?> Read(ManifestReply reply, Credential? credential, EchoedNames names, CancellationToken cancellation)
    {
        var sent = SentSecrets.Of([credential, .. reply.Sent.Select(secret => new Credential.RegistryToken(secret))]);
        return await BoundedBody.Read(reply.Response.Content, MaxBytes, cancellation) is { Length: > 0 } body ? Find(body, sent, names) : null;
    }

    /// <param name="body">Of the answer.</param>
    /// <param name="sent">What is masked.</param>
    /// <param name="names">What the text may repeat of the question.</param>
    /// <returns>As <see cref="Read"/>.</returns>
    public static string? Find(byte[] body, SentSecrets sent, EchoedNames names)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return Find(json.RootElement, sent, names);
        }
        catch (JsonException)
        {
            return FindPlain(body) is { } text ? ForeignText.Clean(text, sent, names) : null;
        }
    }

    /// <summary>A line of plain text, as Go's web server and many proxies write it, and not a page.</summary>
    private static string? FindPlain(byte[] body)
    {
        const char notUnicode = '\uFFFD';
        var text = Encoding.UTF8.GetString(body).Trim();
        return text.Length is > 0 and <= MaxPlainLength && text.AsSpan().IndexOfAny("<{\n\0" + notUnicode) < 0 ? text : null;
    }

    /// <summary>Beside the form of the specification: that of OAuth (RFC 6749 section 5.2), and what Docker Hub, GitLab and gateways write.</summary>
    private static string? Find(JsonElement root, SentSecrets sent, EchoedNames names)
    {
        if (root.Find("errors") is { } errors)
        {
            return errors.ValueKind == JsonValueKind.Array && errors.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
                ? Describe(first.Text("code"), first.Text("message"), sent, names)
                : null;
        }

        return Describe(root.Text("error"), s_messages.Select(name => root.Text(name)).FirstOrDefault(text => text is { Length: > 0 }), sent, names);
    }

    private static string? Describe(string? code, string? message, SentSecrets sent, EchoedNames names)
    {
        var text = string.Join(": ", new[] { code, message }.Where(part => part is { Length: > 0 }));
        return text is "" or Unauthorized ? null : ForeignText.Clean(text, sent, names);
    }
}
