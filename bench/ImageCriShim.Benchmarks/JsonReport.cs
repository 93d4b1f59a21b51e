using System.Text.Json;
using System.Text.Json.Nodes;

namespace ImageCriShim.Benchmarks;

/// <summary>Every figure of every round, for machines.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    internal static string Format(Figures figures)
    {
        var rows = Row.All.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            ["unit"] = row.Unit,
            ["ratioToDirect"] = row.IsRatio,
            ["ways"] = new JsonObject(figures.Ways.Select(way => new KeyValuePair<string, JsonNode?>(way.Name, Describe(figures, row, way)))),
        });
        return new JsonObject { ["rows"] = new JsonArray([.. rows]) }.ToJsonString(s_indented);
    }

    private static JsonObject? Describe(Figures figures, Row row, Way way)
    {
        if (figures.Find(row, way) is not { } spread)
            return null;
        return new JsonObject
        {
            ["median"] = spread.Median,
            ["least"] = spread.Least,
            ["most"] = spread.Most,
            ["promise"] = way.Shim is null ? null : row.Promise?.Limit,
            ["verdict"] = figures.Judge(row, way)?.ToString(),
            ["measured"] = new JsonArray([.. figures.Measured(row, way).Select(figure => (JsonNode)figure)]),
        };
    }
}
