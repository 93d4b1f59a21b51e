using System.Text.Json;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Commands;

/// <summary>A resolution for machines. Keys are added, never renamed; times are milliseconds.</summary>
internal static class ResolutionJson
{
    public static string Format(Resolution resolution) => JsonText.Format(json => Write(json, resolution));

    private static void Write(Utf8JsonWriter json, Resolution resolution)
    {
        var decision = resolution.Decision;
        json.WriteStartObject();
        json.WriteString("image", decision.Image);
        json.WriteString("reference", resolution.Name?.ToString());
        json.WriteString("decision", WordOf(decision.Kind));
        json.WriteString("reason", decision.Reason);
        json.WriteStartArray("pull");
        foreach (var candidate in resolution.ToPull)
            json.WriteStringValue(candidate.Image);
        json.WriteEndArray();
        json.WriteStartArray("candidates");
        foreach (var line in resolution.Lines)
            Write(json, line);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ResolutionLine line)
    {
        json.WriteStartObject();
        json.WriteString("image", line.Candidate.Image);
        json.WriteString("registry", line.Candidate.Registry?.Host ?? line.Candidate.Name?.Domain);
        if (line.Candidate.Registry is { } registry && line.Result is not null)
            json.WriteNumber("priority", registry.Priority);
        json.WriteBoolean("asGiven", line.Candidate.IsAsGiven);
        json.WriteString("result", line.Result?.Kind ?? "not-asked");
        json.WriteString("detail", line.Result?.ToString());
        if (line.Result is ProbeResult.Found found)
        {
            json.WriteString("digest", found.Digest);
            json.WriteString("mediaType", found.MediaType);
        }
        if (line.Result is { } result)
            json.WriteNumber("milliseconds", Math.Round(result.Elapsed.TotalMilliseconds, 1));
        json.WriteString("credential", line.CredentialFrom);
        json.WriteString("credentialProblem", line.CredentialProblem);
        json.WriteEndObject();
    }

    private static string WordOf(DecisionKind kind) => kind switch
    {
        DecisionKind.Found => "found",
        DecisionKind.AsGiven => "as-given",
        DecisionKind.Nowhere => "nowhere",
        DecisionKind.Blocked => "blocked",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
