using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ImageCriShim.Commands;

/// <summary>What the daemon says of itself, for people. What it does not say is left out: it may be another version.</summary>
internal static class StatusText
{
    private static readonly string[] s_registries = ["registry", "priority", "auth", "state"];
    private static readonly string[] s_pulls = ["when", "image", "result", "from", "ms", "why"];

    /// <param name="status">As its page <c>/status</c> has it.</param>
    /// <param name="now">The clock.</param>
    public static string Format(JsonElement status, DateTimeOffset now)
    {
        var text = new StringBuilder();
        WriteDaemon(text, status);
        if (status.TryGetProperty("registries", out var registries))
            text.Append('\n').Append(TextTable.Format([s_registries, .. registries.EnumerateArray().Select(registry => Registry(registry, now))]));
        if (status.TryGetProperty("recentPulls", out var pulls) && pulls.GetArrayLength() > 0)
            text.Append("\nthe last pulls, the latest first\n").Append(TextTable.Format([s_pulls, .. pulls.EnumerateArray().Select(Pull)]));
        return text.ToString();
    }

    private static void WriteDaemon(StringBuilder text, JsonElement status)
    {
        var uptime = TimeSpan.FromSeconds(Number(status, "uptimeSeconds"));
        text.Append(CultureInfo.InvariantCulture, $"image-cri-shim {Text(status, "version")} ({Text(status, "flavour")}), process {Text(status, "pid")}, up {Age(uptime)}\n");
        text.Append(CultureInfo.InvariantCulture, $"serving  {Text(status, "socket")}: {Text(status, "connections")} connections, {Number(status, "pullsInProgress")} pulls in progress\n");
        if (status.TryGetProperty("runtime", out var runtime))
            text.Append(CultureInfo.InvariantCulture, $"runtime  {Text(runtime, "socket")}: {Runtime(runtime)}\n");
        if (status.TryGetProperty("settings", out var settings))
            text.Append(CultureInfo.InvariantCulture, $"settings {Text(settings, "file")}: {Settings(settings)}\n");
        if (status.TryGetProperty("handover", out var handover))
            WriteHandover(text, handover);
        if (status.TryGetProperty("state", out var state))
            text.Append(CultureInfo.InvariantCulture, $"state    {Text(state, "directory")}: {Text(state, "pulls")} pulls recorded, {Text(state, "missing")} images missing{(Is(state, "kept") ? "" : ", CANNOT BE WRITTEN")}\n");
        if (status.TryGetProperty("cache", out var cache))
            text.Append(CultureInfo.InvariantCulture, $"cache    {Text(cache, "images")} of {Text(cache, "size")} images known; {Text(cache, "hits")} of {Number(cache, "hits") + Number(cache, "misses")} pulls asked no registry\n");
    }

    private static void WriteHandover(StringBuilder text, JsonElement handover)
    {
        if (handover.TryGetProperty("failedAt", out var at))
            text.Append(CultureInfo.InvariantCulture, $"handover FAILED at {at.GetDateTimeOffset():u}, this is the old process: {Text(handover, "reason")}\n");
        foreach (var one in handover.GetProperty("predecessors").EnumerateArray())
        {
            var oldest = Text(one, "oldestCall") is { Length: > 0 } call ? $", {call} for {Age(TimeSpan.FromSeconds(Number(one, "oldestCallSeconds")))}" : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"before   process {Text(one, "pid")} ({Text(one, "version")}) still serves {Text(one, "calls")} calls{oldest}; what is left at {one.GetProperty("until").GetDateTimeOffset():u} is cut\n");
        }
    }

    private static string Runtime(JsonElement runtime) => !Is(runtime, "there")
        ? $"AWAY, {Text(runtime, "reason")}"
        : runtime.TryGetProperty("name", out _) ? $"{Text(runtime, "name")} {Text(runtime, "version")}" : "is there, but does not answer";

    private static string Settings(JsonElement settings) =>
        $"{Text(settings, "trouble") switch { "" => "in force", var trouble => trouble }}; reloads: {Text(settings, "reloads")}, failed: {Text(settings, "failedReloads")}";

    private static string[] Registry(JsonElement registry, DateTimeOffset now) =>
    [
        Text(registry, "address"),
        Text(registry, "priority"),
        Text(registry, "auth") is { Length: > 0 } auth ? auth : "none",
        Is(registry, "setAside") ? $"SET ASIDE {Age(now - registry.GetProperty("since").GetDateTimeOffset())} ago: {Text(registry, "reason")}" : "ok",
    ];

    private static string[] Pull(JsonElement pull) =>
    [
        pull.GetProperty("at").GetDateTimeOffset().ToString("u", CultureInfo.InvariantCulture),
        Text(pull, "image"),
        Text(pull, "result"),
        Text(pull, "actual") is { Length: > 0 } actual ? actual : "-",
        Text(pull, "milliseconds"),
        Text(pull, "reason"),
    ];

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 1 } => $"{age.Days} d {age.Hours} h",
        { TotalHours: >= 1 } => $"{age.Hours} h {age.Minutes} min",
        { TotalMinutes: >= 1 } => $"{age.Minutes} min {age.Seconds} s",
        _ => $"{Math.Max(0, (int)age.TotalSeconds)} s",
    };

    private static string Text(JsonElement of, string key) => of.TryGetProperty(key, out var value) ? PrintableText.Of(value.ToString()) : "";

    private static long Number(JsonElement of, string key) => of.TryGetProperty(key, out var value) && value.TryGetInt64(out var number) ? number : 0;

    private static bool Is(JsonElement of, string key) => of.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True;
}
