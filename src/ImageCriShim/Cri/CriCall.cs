using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>An edited call: its request read, its deadline kept, and the look-ups that all of them need.</summary>
internal abstract class CriCall(CallEnvironment environment, CallerHead head) : EditedCall
{
    private const long NotWaiting = long.MinValue;

    // A timer cannot be set to more than 49 days; a caller may well allow more.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(30);

    private readonly long _begin = environment.Time.GetTimestamp();
    private bool _isUnread;
    private int _inflated; // counted against CallLimits.MaxInflatedBytes
    private TimeSpan _atRuntime; // how long it has waited for it
    private long _waitsSince = NotWaiting; // the runtime has a request, and its answer is not there

    /// <summary><c>service/method</c> without the version, as metrics name it.</summary>
    internal string Method { get; set; } = "";

    protected CallEnvironment Environment { get; } = environment;

    /// <summary>The request's message, inflated.</summary>
    protected ReadOnlyMemory<byte> Request { get; private set; }

    protected TimeSpan Elapsed => Environment.Time.GetElapsedTime(_begin);

    /// <summary>Whether the caller set no deadline, as kubelet does not for a pull: the settings' <c>timeout</c> is one.</summary>
    protected bool IsDeadlineOurs => head.Timeout is null;

    /// <summary>Until the deadline; not above zero where it is over.</summary>
    protected TimeSpan Remaining => (head.Timeout ?? Environment.Settings.Timeout) - Elapsed;

    internal sealed override Verdict OnRequest(ReadOnlyMemory<byte> body)
    {
        _isUnread = true; // also if anything throws
        try
        {
            if (!GrpcMessage.TryReadOnly(body, () => head.Encoding, out var message) || !TryHoldInflated(body, message))
                return IfUnread;
            Request = message;
            var verdict = Decide();
            _isUnread = false;
            if (verdict is Verdict.Watch or Verdict.WatchEach)
                _waitsSince = Environment.Time.GetTimestamp();
            return verdict;
        }
        catch (MalformedMessageException)
        {
            return IfUnread; // the runtime's own error is the right one
        }
    }

    /// <summary>
    /// A request that cannot be read, such as two messages, or groups: the runtime may well read it. So it is refused where the settings
    /// forbid images and it could name one; otherwise it is not ours to judge.
    /// </summary>
    internal sealed override Verdict IfUnread => IsJudged ? Verdict.Answer : Verdict.Forward;

    internal override void OnEnd()
    {
        Environment.Limits.Inflated.Release(_inflated);
        _inflated = 0;
        EndWait(); // its caller may be gone
        Environment.Metrics.Added.Add(Elapsed - _atRuntime, Method);
    }

    internal override Reply OnAnswer(HeldAnswer answer)
    {
        EndWait();
        try
        {
            if (answer.Body.IsEmpty && answer.Code is not GrpcCode.Ok)
                return OnError(GrpcStatus.Of(answer));
            // One that cannot be read is not ours to judge: it is the runtime's answer.
            return GrpcMessage.TryReadOnly(answer.Body, answer.FindEncoding, out var message) ? OnAnswer(message.Span) : Reply.AsItCame;
        }
        catch (MalformedMessageException)
        {
            return Reply.AsItCame;
        }
    }

    internal sealed override async Task<StreamAnswer?> Answer(CancellationToken cancellation)
    {
        if (_isUnread)
            return RefusedCall.Refuse(Method);
        using var deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, Environment.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            var answering = AnswerInTime(either.Token);
            if (!answering.IsCompleted)
                deadline.CancelAfter(Bounded(Remaining)); // most are answered by now, and a timer wakes a thread of its own
            return await answering;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new GrpcStatus(StatusCode.DeadlineExceeded, PrintableText.Of(DescribeLateness())).ToAnswer();
        }
    }

    /// <summary>Whether the settings forbid images and this call must not use one of them: its request has to be read.</summary>
    protected virtual bool IsJudged => false;

    /// <summary>The request is there: what is to be done?</summary>
    /// <exception cref="MalformedMessageException">It is forwarded.</exception>
    protected abstract Verdict Decide();

    /// <summary>For a watched call: the runtime's answer, which is none of an error.</summary>
    /// <exception cref="MalformedMessageException">It is the caller's as it came.</exception>
    protected virtual Reply OnAnswer(ReadOnlySpan<byte> message) => Reply.AsItCame;

    /// <summary>For a watched call: the runtime's answer is an error.</summary>
    protected virtual Reply OnError(GrpcStatus status) => Reply.AsItCame;

    /// <inheritdoc cref="EditedCall.Answer"/>
    protected virtual Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation) => Task.FromResult<StreamAnswer?>(null);

    /// <summary>For the caller whose deadline is over.</summary>
    protected virtual string DescribeLateness() => "context deadline exceeded";

    /// <summary>The same method once more, with another message.</summary>
    /// <param name="names">What it is asked for, and what the caller named.</param>
    /// <param name="sent">The secrets in the message, which are in no failure that comes back.</param>
    protected async Task<RuntimeReply> Call(byte[] message, EchoedNames names, SentSecrets sent, CancellationToken cancellation) =>
        RuntimeWords.Clean(await AtRuntime(Environment.Runtime.Call(head, message, Remaining, cancellation)), sent, names);

    /// <summary>Another method, as the same caller.</summary>
    /// <param name="method"><c>service/method</c>.</param>
    protected async Task<RuntimeReply> Call(string method, byte[] message, CancellationToken cancellation) => RuntimeWords.Clean(
        await AtRuntime(Environment.Runtime.Call(head.For(method), message, Remaining, cancellation)), SentSecrets.None, EchoedNames.None);

    /// <summary>What is waited for is the runtime, so it is nothing that we add.</summary>
    protected async Task<T> AtRuntime<T>(Task<T> call)
    {
        Volatile.Write(ref _waitsSince, Environment.Time.GetTimestamp());
        try
        {
            return await call;
        }
        finally
        {
            EndWait();
        }
    }

    /// <summary>The same method with another message, sent before it is known whether its answer is needed.</summary>
    protected AheadCall? Begin(byte[] message) => Environment.Runtime.Begin(head, message, Remaining);

    /// <summary>The image that the runtime has by this name; null where it has none or does not say.</summary>
    /// <param name="spec">The ImageSpec that the caller named it in.</param>
    protected async Task<RuntimeImage?> FindLocal(byte[] spec, string image, CancellationToken cancellation) =>
        (await LookUp(spec, image, cancellation)).Image;

    /// <inheritdoc cref="FindLocal"/>
    protected async Task<LookUpResult> LookUp(byte[] spec, string image, CancellationToken cancellation)
    {
        var reply = await Call("ImageService/ImageStatus", CriMessages.MakeImageStatusRequest(spec, image), cancellation);
        return reply.Status.IsOk
            ? new LookUpResult(CriMessages.FindImage(reply.Message.Span), IsKnown: true)
            : new LookUpResult(null, reply.Status.MayBeAboutTheName);
    }

    /// <summary>How an image that was found by another name is shown.</summary>
    protected RestoredNames FoundBy(string image, string name) =>
        Reference.TryParse(image, out var given) && Reference.TryParse(name, out var actual)
            ? new RestoredNames(Environment.Settings.Names, Environment.Record.Names, Environment.Runtime.WritesShortNames, new FoundName(actual, given))
            : Environment.RestoredNames;

    private bool TryHoldInflated(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> message)
    {
        if (body.Span.Overlaps(message.Span) || message.IsEmpty)
            return true; // it came as it is, and the relay counts it
        if (!Environment.Limits.Inflated.TryReserve(message.Length))
            return false;
        _inflated = message.Length;
        return true;
    }

    private void EndWait()
    {
        var since = Interlocked.Exchange(ref _waitsSince, NotWaiting);
        if (since != NotWaiting)
            _atRuntime += Environment.Time.GetElapsedTime(since);
    }

    private static TimeSpan Bounded(TimeSpan time) => TimeSpan.FromTicks(Math.Clamp(time.Ticks, 0, s_longestTimer.Ticks));
}

/// <summary>What the runtime said of an image that it was asked for by one name.</summary>
/// <param name="Image">Null where it has none, or does not say.</param>
/// <param name="IsKnown">False where the runtime could not answer.</param>
internal readonly record struct LookUpResult(RuntimeImage? Image, bool IsKnown);
