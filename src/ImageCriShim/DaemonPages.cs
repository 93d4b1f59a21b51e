using System.Diagnostics;
using System.Text.Json;
using ImageCriShim.Cri;
using ImageCriShim.Handover;
using ImageCriShim.Hosting;
using ImageCriShim.Metrics;
using ImageCriShim.Registries;
using ImageCriShim.Relay;

namespace ImageCriShim;

/// <summary>What the daemon shows of itself: metrics, health, and all that <c>image-cri-shim status</c> prints. No page holds a secret.</summary>
/// <param name="socket">Ours.</param>
/// <param name="listener">Who accepts callers.</param>
/// <param name="routing">Where their calls go.</param>
/// <param name="reload">Which settings are in force.</param>
/// <param name="predecessors">Which processes still drain.</param>
/// <param name="metrics">All that is measured.</param>
internal sealed class DaemonPages(
    ShimSocket socket, RelayListener listener, CallRouting routing, Reload reload, Predecessors predecessors, ShimMetrics metrics)
{
    private static readonly Page s_taken = new(200, "");
    // What is asked must answer at once, else it is not well; Prometheus and kubelet wait 10 s and 1 s.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_readinessAge = TimeSpan.FromMilliseconds(100); // to find it out connects to the runtime

    private readonly Lock _looking = new();
    private Page? _readiness;
    private long _readinessAt;

    private readonly DateTimeOffset _begin = DateTimeOffset.UtcNow - ProcessAge.Now;

    /// <summary>By which this process hands over; null before it serves.</summary>
    internal Succession? Succession { get; set; }

    /// <summary>This process is a successor that is not the main one yet.</summary>
    internal bool IsTakingOver { get; set; }

    /// <summary>Whatever is asked for when it is scraped comes from here.</summary>
    internal void Observe(StderrLogger log)
    {
        metrics.Build.ComesFrom(() => [new Sample(1, ShimVersion.Text, ShimVersion.Flavour)]);
        metrics.Connections.ComesFrom(() => listener.Connections);
        metrics.HeldBytes.ComesFrom(() => listener.HeldBytes);
        metrics.RuntimeUp.ComesFrom(() => routing.Runtime.WhyAway() is null ? 1 : 0);
        metrics.SettingsInForce.ComesFrom(() => reload.FailOpen is null && reload.Trouble is null ? 1 : 0);
        metrics.FailingOpen.ComesFrom(() => reload.FailOpen is null ? 0 : 1);
        metrics.StateKept.ComesFrom(() => routing.IsStateKept ? 1 : 0);
        metrics.LostLogLines.ComesFrom(() => log.Lost);
        metrics.CachedImages.ComesFrom(() => routing.Environment?.Resolver.KnownImages ?? 0);
        metrics.RecordedPulls.ComesFrom(() => routing.Environment?.Record.All.Count ?? 0);
        metrics.MissingImages.ComesFrom(() => routing.Environment?.Missing.All.Count ?? 0);
        metrics.PullsInProgress.ComesFrom(() => routing.Environment?.Limits.Pulls.Taken ?? 0);
        metrics.SetAside.ComesFrom(ShowSetAside);
        metrics.Predecessors.ComesFrom(() => predecessors.All.Count);
    }

    private IEnumerable<Sample> ShowSetAside()
    {
        var aside = routing.SetAside;
        return from registry in routing.Environment?.Settings.Registries ?? []
               select new Sample(aside.Any(one => one.Registry.Address == registry.Address) ? 1 : 0, $"{registry.Address}");
    }

    /// <summary>For anybody who can connect to <c>metrics</c>.</summary>
    internal Page? Find(string path) => path switch
    {
        "/metrics" => new Page(200, metrics.Format(), PrometheusText.ContentType),
        "/healthz" => IsAlive() ? new Page(200, "ok\n") : new Page(503, "the thread that accepts callers does not answer\n"),
        "/readyz" => Readiness(),
        _ => null,
    };

    /// <summary>For root alone.</summary>
    internal Page? FindPrivate(string path) => path == "/status" ? new Page(200, JsonText.Format(Write), "application/json") : Find(path);

    /// <summary>What is posted to the private socket: by root, and by processes that have handed over to this one.</summary>
    internal Page? Take(string target, ReadOnlyMemory<byte> body) => target switch
    {
        "/reload" => AskReload(always: false),
        "/reload?handover" => AskReload(always: true),
        "/predecessors" when PredecessorReport.TryRead(body) is { } report => Take(report),
        "/pulls" when routing.State?.TryAddPulls(body) is not false => s_taken,
        "/missing" when routing.State?.TryAddMissing(body) is not false => s_taken,
        _ => null,
    };

    private Page Take(PredecessorReport report)
    {
        predecessors.Add(report);
        return s_taken;
    }

    private Page AskReload(bool always)
    {
        var (isHandover, problem) = reload.Ask(always);
        return new Page(200, JsonText.Format(json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("handover", isHandover);
            json.WriteString("problem", problem);
            json.WriteEndObject();
        }));
    }

    private bool IsAlive() => socket.IsServed(s_patience);

    /// <summary>Found out at most ten times a second, whoever asks how often.</summary>
    private Page Readiness()
    {
        lock (_looking)
        {
            if (_readiness is null || Stopwatch.GetElapsedTime(_readinessAt) >= s_readinessAge)
                (_readiness, _readinessAt) = (FindReadiness(), Stopwatch.GetTimestamp());
            return _readiness;
        }
    }

    /// <summary>
    /// Ready is who accepts callers, edits their calls, and has a runtime to pass them on to. Anybody may ask: what is wrong with the settings
    /// stands in the log, which may quote them.
    /// </summary>
    private Page FindReadiness()
    {
        var reasons = new List<string>();
        if (!IsAlive())
            reasons.Add("the thread that accepts callers does not answer");
        if (reload.FailOpen is not null)
            reasons.Add("FAIL OPEN, nothing is rewritten: the settings cannot be used; see the log");
        if (routing.Runtime.WhyAway() is { } away)
            reasons.Add(away);
        return reasons.Count == 0 ? new Page(200, "ready\n") : new Page(503, $"not ready: {string.Join("; ", reasons)}\n");
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("version", ShimVersion.Text);
        json.WriteString("flavour", ShimVersion.Flavour);
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteString("started", _begin);
        json.WriteNumber("uptimeSeconds", (long)ProcessAge.Now.TotalSeconds);
        json.WriteString("socket", socket.Path);
        json.WriteNumber("connections", listener.Connections);
        WriteRuntime(json);
        WriteSettings(json);
        WriteHandover(json);
        if (routing.Environment is { } environment)
            Write(json, environment);
        json.WriteEndObject();
    }

    private void WriteRuntime(Utf8JsonWriter json)
    {
        var away = routing.Runtime.WhyAway();
        json.WriteStartObject("runtime");
        json.WriteString("socket", routing.Runtime.Path);
        json.WriteBoolean("there", away is null);
        json.WriteString("reason", away);
        if (away is null && routing.AskRuntimeForItsVersion(s_patience) is var (name, version))
        {
            json.WriteString("name", name);
            json.WriteString("version", version);
        }

        json.WriteEndObject();
    }

    private void WriteSettings(Utf8JsonWriter json)
    {
        json.WriteStartObject("settings");
        json.WriteString("file", reload.Path);
        json.WriteBoolean("failingOpen", reload.FailOpen is not null);
        json.WriteString("trouble", reload.FailOpen?.Summary ?? reload.Trouble);
        json.WriteNumber("reloads", metrics.Reloads.Value("ok"));
        json.WriteNumber("failedReloads", metrics.Reloads.Value("failed"));
        json.WriteEndObject();
    }

    private void WriteHandover(Utf8JsonWriter json)
    {
        json.WriteStartObject("handover");
        json.WriteBoolean("underWay", IsTakingOver || Succession?.IsUnderWay is true);
        if (Succession?.Failure is { } failure)
        {
            json.WriteString("failedAt", failure.At);
            json.WriteString("reason", failure.Reason);
        }

        json.WriteStartArray("predecessors");
        foreach (var report in predecessors.All)
            report.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, CallEnvironment environment)
    {
        json.WriteStartArray("registries");
        var aside = routing.SetAside;
        foreach (var registry in environment.Settings.Registries)
            Write(json, registry, aside.FirstOrDefault(one => one.Registry.Address == registry.Address));
        json.WriteEndArray();
        json.WriteStartObject("cache");
        json.WriteNumber("images", environment.Resolver.KnownImages);
        json.WriteNumber("size", environment.Settings.Cache.ImageCacheSize);
        json.WriteNumber("hits", metrics.CacheLookups.Value("hit"));
        json.WriteNumber("misses", metrics.CacheLookups.Value("miss"));
        json.WriteEndObject();
        json.WriteStartObject("state");
        json.WriteString("directory", environment.Settings.StateDirectory);
        json.WriteBoolean("kept", routing.IsStateKept);
        json.WriteNumber("pulls", environment.Record.All.Count);
        json.WriteNumber("missing", environment.Missing.All.Count);
        json.WriteEndObject();
        json.WriteNumber("pullsInProgress", environment.Limits.Pulls.Taken);
        json.WriteStartArray("recentPulls");
        foreach (var pull in environment.Recent.All)
            Write(json, pull);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, Registry registry, SetAsideRegistry? aside)
    {
        json.WriteStartObject();
        json.WriteString("address", $"{registry.Address}");
        json.WriteNumber("priority", registry.Priority);
        json.WriteBoolean("offline", registry.IsOffline);
        json.WriteString("auth", registry.Credentials?.ToString());
        json.WriteBoolean("setAside", aside is not null);
        if (aside is not null)
        {
            json.WriteString("since", aside.Since);
            json.WriteString("reason", aside.Reason);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RecentPull pull)
    {
        json.WriteStartObject();
        json.WriteString("at", pull.At);
        json.WriteString("image", pull.Image);
        json.WriteString("result", pull.Result);
        json.WriteString("actual", pull.Actual);
        json.WriteString("registry", pull.Registry);
        json.WriteString("reason", pull.Reason);
        json.WriteNumber("milliseconds", (long)pull.Elapsed.TotalMilliseconds);
        json.WriteEndObject();
    }
}
