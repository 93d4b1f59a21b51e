using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ImageCriShim;

/// <summary>JSON on standard output: indented, names of images unescaped, a newline at its end.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Format(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, s_options))
            write(json);
        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
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
