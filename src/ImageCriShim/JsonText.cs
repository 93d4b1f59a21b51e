using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImageCriShim;

/// <summary>JSON on standard output: indented, names of images unescaped, a newline at its end; what cannot be seen is escaped.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Format(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, s_options))
            write(json);
        return Escape(Encoding.UTF8.GetString(bytes.ToArray())) + "\n";
    }

    /// <summary>The encoder lets pass what turns a terminal's text around, for one. All of it stands within texts.</summary>
    private static string Escape(string json)
    {
        var escaped = new StringBuilder(json.Length);
        foreach (var character in json.EnumerateRunes())
        {
            if (character.Value == '\n' || PrintableText.IsPrintable(character))
                escaped.Append(character);
            else
                AppendEscaped(escaped, character);
        }

        return escaped.ToString();
    }

    private static void AppendEscaped(StringBuilder escaped, Rune character)
    {
        Span<char> units = stackalloc char[2];
        foreach (var unit in units[..character.EncodeToUtf16(units)])
            escaped.Append("\\u").Append(((int)unit).ToString("X4"));
    }

    public static string FormatList<T>(IEnumerable<T> entries, Action<Utf8JsonWriter, T> writeProperties) => Format(json =>
    {
        json.WriteStartArray();
        foreach (var entry in entries)
        {
            json.WriteStartObject();
            writeProperties(json, entry);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
