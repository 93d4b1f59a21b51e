using System.Text.Json;
using ImageCriShim.Inspection;

namespace ImageCriShim.Commands;

/// <summary>Findings for machines. Keys are added, never renamed.</summary>
internal static class CheckJson
{
    public static string Format(IReadOnlyList<Finding> findings) => JsonText.FormatList(findings, Write);

    private static void Write(Utf8JsonWriter json, Finding finding)
    {
        json.WriteString("what", finding.What);
        json.WriteString("state", $"{finding.State}".ToLowerInvariant());
        json.WriteString("text", finding.Text);
        json.WriteStartArray("remedies");
        foreach (var remedy in finding.Remedies)
            Write(json, remedy);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Remedy remedy)
    {
        json.WriteStartObject();
        json.WriteString("kind", $"{remedy.Kind}".ToLowerInvariant());
        json.WriteString("text", remedy.Text);
        if (remedy.File.Length > 0)
            json.WriteString("file", remedy.File);
        if (remedy.Line > 0)
            json.WriteNumber("line", remedy.Line);
        json.WriteEndObject();
    }
}
