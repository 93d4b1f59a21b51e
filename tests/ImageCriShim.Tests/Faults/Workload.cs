using System.Collections.Concurrent;
using System.Diagnostics;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Faults;

/// <summary>How the callers of a <see cref="Workload"/> rest; kubelet's loops rest for a second and more.</summary>
internal sealed record Pace(TimeSpan BetweenPasses, TimeSpan BetweenPulls)
{
    /// <summary>For a fault that lasts seconds.</summary>
    public static Pace Fast { get; } = new(TimeSpan.FromMilliseconds(5), TimeSpan.Zero);

    /// <summary>For hours: some 90 calls a second, and nearly one pull.</summary>
    public static Pace Steady { get; } = new(TimeSpan.FromMilliseconds(75), TimeSpan.FromSeconds(1));
}

/// <summary>
/// What goes on on a node, all at once and without end: kubelet's loops of lists, statuses, events and pulls, each over a connection of its
/// own, and somebody with crictl, who connects anew for every call. Every call is noted.
/// </summary>
internal sealed class Workload
{
    /// <summary>Who connects anew each time.</summary>
    public const string Crictl = "crictl";

    public const string Pulls = "pulls";
    public const string PullImage = "PullImage";

    private const string Events = "GetContainerEvents";

    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10); // kubelet's is two minutes; hung is hung
    private static readonly TimeSpan s_backoff = TimeSpan.FromMilliseconds(100); // kubelet's first (MaxDelay 3 s)

    private readonly string _socketPath;
    private readonly Pace _pace;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<CallSeen> _seen = new();
    private readonly Task[] _loops;
    private long _calls;
    private long _pullCalls;

    private Workload(string socketPath, string[] images, int kubelets, Pace pace)
    {
        (_socketPath, _pace) = (socketPath, pace);
        _loops = [.. images.Chunk(images.Length / kubelets).SelectMany(StartKubelet)];
    }

    /// <summary>In the order in which they ended; subscriptions are no calls that end.</summary>
    public IReadOnlyList<CallSeen> Seen => [.. _seen];

    /// <summary>How many calls there were.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>How many of them pulled or removed.</summary>
    public long PullCalls => Interlocked.Read(ref _pullCalls);

    /// <summary>Whether <see cref="Seen"/> has all calls, or only those that failed: an hour's are many.</summary>
    public bool KeepsOnlyFailures { get; set; }

    /// <param name="socketPath">Of the shim, or of the runtime itself.</param>
    /// <param name="images">Are pulled and removed in turn.</param>
    /// <param name="kubelets">So many do so at once, each with its share of the images.</param>
    /// <param name="pace">How they rest; hardly, unless told.</param>
    public static Workload Start(string socketPath, string[] images, int kubelets = 1, Pace? pace = null) =>
        new(socketPath, images, kubelets, pace ?? Pace.Fast);

    public async Task Stop()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_loops);
    }

    private Task[] StartKubelet(string[] images) =>
    [
        Loop("lists", Lists), Loop("statuses", Statuses), Loop("events", SubscribeToEvents), Loop(Pulls, to => PullAndRemove(to, images)), Loop(Crictl, AskOnce),
    ];

    private async Task Loop(string caller, Func<Conversation, Task> pass)
    {
        await Task.Yield();
        using var channel = new Channel(_socketPath);
        var conversation = new Conversation(this, caller, channel);
        while (!_ending.IsCancellationRequested)
        {
            await pass(conversation);
            await Rest(_pace.BetweenPasses);
        }
    }

    private static async Task Lists(Conversation to)
    {
        await to.Call("RuntimeService", "ListPodSandbox");
        await to.Call("RuntimeService", "ListContainers");
        await to.Call("ImageService", "ListImages");
    }

    private static async Task Statuses(Conversation to)
    {
        await to.Call("RuntimeService", "Version");
        await to.Call("RuntimeService", "Status");
        await to.Call("ImageService", "ImageFsInfo");
        await to.Call("ImageService", "ImageStatus", Spec("not/there:1"));
    }

    private async Task PullAndRemove(Conversation to, string[] images)
    {
        foreach (var image in images)
        {
            var pulled = await to.Call("ImageService", PullImage, Spec(image), hasDeadline: false); // as kubelet: its pulls have none
            if (pulled.IsOk)
                await to.Call("ImageService", "ImageStatus", Spec(image), answer => Find(answer, 1) is null ? $"{image} was pulled and is not there" : null);
            await to.Call("ImageService", "RemoveImage", Spec(image));
            await Rest(_pace.BetweenPulls);
        }
    }

    private async Task AskOnce(Conversation to)
    {
        using var channel = new Channel(_socketPath);
        await (to with { Channel = channel }).Call("RuntimeService", "Version");
    }

    private static Task SubscribeToEvents(Conversation to) => to.Call("RuntimeService", Events, hasDeadline: false);

    private static byte[] Spec(string image) => Field(1, Field(1, image));

    private void Note(CallSeen call)
    {
        Interlocked.Increment(ref _calls);
        if (call.Method is PullImage or "RemoveImage")
            Interlocked.Increment(ref _pullCalls);
        if (call.Failed || !KeepsOnlyFailures)
            _seen.Enqueue(call);
    }

    private Task Rest(TimeSpan time) => time == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(time, _ending.Token).ContinueWith(_ => { }, TaskScheduler.Default);

    private sealed record Conversation(Workload With, string Caller, Channel Channel)
    {
        public async Task<Outcome> Call(string service, string method, byte[]? request = null, Func<byte[], string?>? findWrong = null, bool hasDeadline = true)
        {
            var begun = Stopwatch.GetTimestamp();
            var outcome = await Channel.CallAsync($"/runtime.v1.{service}/{method}", request ?? [], hasDeadline ? s_deadline : null, With._ending.Token);
            if (With._ending.IsCancellationRequested)
                return outcome;
            if (outcome.IsOk && findWrong?.Invoke(outcome.Message) is { } wrong)
                outcome = new(GrpcStatus.Wrong, wrong);
            if (method != Events)
                With.Note(new(Caller, method, begun, Stopwatch.GetTimestamp(), outcome.Status, outcome.Text));
            if (!outcome.IsOk)
                await With.Rest(s_backoff);
            return outcome;
        }
    }
}
