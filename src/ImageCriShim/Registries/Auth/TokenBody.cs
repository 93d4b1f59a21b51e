using System.Globalization;
using System.Text.Json;

namespace ImageCriShim.Registries.Auth;

/// <summary>The JSON of token servers (distribution token specification, RFC 6749 section 5.1).</summary>
internal static class TokenBody
{
    private static readonly TimeSpan s_minLifetime = TimeSpan.FromSeconds(60); // the default, and the least that the specification allows
    private static readonly TimeSpan s_maxLifetime = TimeSpan.FromHours(12); // whatever it says: accounts are closed, too

    /// <returns>Null if there is no token in it.</returns>
    /// <remarks><c>issued_at</c> is of the server's clock, which may differ from ours: a lifetime is counted from the token's arrival instead.</remarks>
    public static (string Token, TimeSpan Lifetime)? FindToken(byte[] body) => Read(body, root =>
        (NonEmpty(root, "token") ?? NonEmpty(root, "access_token")) is { } token && Authorization.CanSend(token)
            ? (token, Lifetime(root))
            : ((string, TimeSpan)?)null);

    private static TimeSpan Lifetime(JsonElement root)
    {
        var seconds = root.Find("expires_in") is { } stated ? stated.ValueKind switch
        {
            JsonValueKind.Number => stated.GetDouble(),
            JsonValueKind.String when double.TryParse(stated.GetString(), CultureInfo.InvariantCulture, out var number) => number,
            _ => 0,
        } : 0;
        return TimeSpan.FromSeconds(Math.Clamp(double.IsNaN(seconds) ? 0 : seconds, s_minLifetime.TotalSeconds, s_maxLifetime.TotalSeconds));
    }

    private static T? Read<T>(byte[] body, Func<JsonElement, T?> read)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object ? read(json.RootElement) : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // no JSON; a text in it that is no Unicode
        {
            return default; // a login page, a proxy's error, anything
        }
    }

    private static string? NonEmpty(JsonElement element, string name) => element.Text(name) is { Length: > 0 } text ? text : null;
}
