namespace ImageCriShim.Metrics;

/// <summary>
/// Every instrument there is. Names and labels are an interface: dashboards and alerts go by them (docs/OPERATIONS.md). No label holds a secret,
/// an image's name or anything else of which there is no end.
/// </summary>
internal sealed class ShimMetrics
{
    // From what a relayed call costs up to the deadlines of kubelet.
    private static readonly double[] s_delays = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly double[] s_probes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    private static readonly double[] s_pulls = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

    // --- what callers see -------------------------------------------------------------------------------------------------

    public CallCounts Calls { get; } = new();

    public Histogram Added { get; } = new(
        "added_seconds", "What an edited call takes longer than the runtime takes for it: looking up, asking registries, waiting for a turn.", s_delays, "method");

    public Counter Pulls { get; } = new("pulls_total", "Attempts of the runtime to pull a candidate, by registry (\"as given\": not rewritten) and result.", "registry", "result");

    public Histogram PullTime { get; } = new("pull_seconds", "How long the runtime took for a pull that succeeded, by registry.", s_pulls, "registry");

    public Counter LocalAnswers { get; } = new Counter(
        "local_answers_total", "Pulls that were answered with the image on the node because no registry could be reached.").From();

    public Counter TagFallbacks { get; } = new Counter(
        "tag_fallbacks_total", "Pulls by digest that came by their tag instead, because no registry had the digest (digestFallback).").From();

    // --- registries -------------------------------------------------------------------------------------------------------

    public Counter Probes { get; } = new(
        "probes_total", "Questions to registries whether they have an image, by registry and result: found, missing, denied, throttled or unreachable.", "registry", "result");

    public Histogram ProbeTime { get; } = new("probe_seconds", "How long a registry took to answer such a question.", s_probes, "registry");

    public Gauge SetAside { get; } = new("registry_set_aside", "1 for a registry that cannot be reached and is not waited for, 0 for the others that are configured.", "registry");

    public Counter CacheLookups { get; } = new Counter(
        "cache_lookups_total", "Pulls for which the answers of registries were known already (hit) or were asked for (miss).", "result").From("hit").From("miss");

    public Gauge CachedImages { get; } = new("cached_images", "Images of which answers of registries are remembered.");

    public Gauge MissingImages { get; } = new("missing_images", "Images that no registry had when they were pulled last (image-cri-shim missing lists them).");

    public Gauge RecordedPulls { get; } = new("recorded_pulls", "Images whose pull is recorded (image-cri-shim images lists them).");

    // --- the daemon -------------------------------------------------------------------------------------------------------

    public Counter Reloads { get; } = new Counter("reloads_total", "Times that changed settings were read, by result: ok or failed.", "result").From("ok").From("failed");

    public Counter Handovers { get; } = new Counter(
        "handovers_total", "Times that this process took over from another (ok), or could not hand over to one (failed).", "result").From("ok").From("failed");

    public Gauge Predecessors { get; } = new("predecessors", "Processes that have handed over to this one and still serve the calls that they had.");

    public Gauge SettingsInForce { get; } = new("settings_in_force", "1 while what the config file says is in force, 0 while it cannot be used.");

    public Gauge FailingOpen { get; } = new("failing_open", "1 while every call is forwarded unread because the process began with settings that cannot be used.");

    public Gauge RuntimeUp { get; } = new("runtime_up", "1 if the runtime's socket can be connected to.");

    public Gauge StateKept { get; } = new("state_kept", "1 while the state directory can be written to.");

    public Gauge Connections { get; } = new("connections", "Connections of callers.");

    public Gauge PullsInProgress { get; } = new("pulls_in_progress", "Pulls that callers wait for.");

    public Gauge HeldBytes { get; } = new("held_bytes", "Octets of edited messages that are held in memory.");

    public Counter Refusals { get; } = new Counter("refused_connections_total", "Connections of callers that were refused, by reason.", "reason")
        .From("connections").From("descriptors").From("threads").From("runtime");

    public Gauge LostLogLines { get; } = new("lost_log_lines_total", "Lines of the log that nobody took in time.");

    public Gauge Build { get; } = new("build_info", "1, with what runs.", "version", "flavour");

    /// <summary>In the order in which they are shown.</summary>
    public IReadOnlyList<Instrument> All =>
    [
        Calls, Added, Pulls, PullTime, LocalAnswers, TagFallbacks,
        Probes, ProbeTime, SetAside, CacheLookups, CachedImages, MissingImages, RecordedPulls,
        Reloads, Handovers, Predecessors, SettingsInForce, FailingOpen, RuntimeUp, StateKept, Connections, PullsInProgress, HeldBytes, Refusals, LostLogLines, Build,
        .. ProcessMetrics.All,
    ];

    /// <summary>As it is scraped.</summary>
    public string Format() => All.Aggregate(new PrometheusText(), (text, instrument) => text.Add(instrument)).ToString();
}
