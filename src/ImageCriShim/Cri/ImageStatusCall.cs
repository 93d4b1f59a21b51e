using ImageCriShim.Concurrency;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// Local first, no network ever: the runtime is asked as given, on the caller's own stream; only if it has nothing, it is asked for
/// the name that the image was pulled by, and for each name that a registry would have it under. The first answer that has an image is the answer.
/// A runtime that cannot read the name as given (CRI-O, short names) has nothing by it; only if no registry would be asked for the image is that
/// error the answer.
/// For an image that was found under another name before, that one is asked for at the same time, so that kubelet waits for one answer, not two.
/// </summary>
internal class ImageStatusCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private static readonly object s_taken = new();

    private static readonly StreamAnswer s_nothing = StreamAnswer.Ok(GrpcMessage.Frame([]));

    private bool _isForbidden;
    private NamesOfImage? _names; // before the runtime is asked for them
    private bool _isUnreadable; // the name as given, for the runtime
    private string? _expected; // the name under which the image was found the last time
    private object? _ahead; // the call that asks for it meanwhile, or that it is too late to ask

    internal override bool AsksAhead => _expected is not null;

    internal override void AskAhead()
    {
        if (Begin(Rename(Request.Span, _expected!)) is { } call && Interlocked.CompareExchange(ref _ahead, call, null) is not null)
            call.GiveUp(); // it was answered already
    }

    internal override void OnEnd()
    {
        base.OnEnd();
        if (TakeAhead() is { } call)
            Background.Queue("giving up a call", call, static unwanted => unwanted.GiveUp());
    }

    /// <summary>Whether an image that the settings forbid is shown as absent, also where the runtime has it under its own name.</summary>
    protected virtual bool HidesForbidden => true;

    protected override bool IsJudged => HidesForbidden && Environment.Policy.IsSet;

    protected override Verdict DecideName()
    {
        _isForbidden = Environment.Policy.FindRefusal(Image) is not null;
        _expected = _isForbidden ? null : Environment.Found.Find(Image);
        return Verdict.Watch;
    }

    protected override Verdict DecideId() => Environment.Settings.Names is ShownNames.Actual ? Verdict.Forward : Verdict.Watch;

    protected override Reply OnAnswer(ReadOnlySpan<byte> message)
    {
        if (_isForbidden && HidesForbidden && CriMessages.FindImage(message) is { } found && !found.IsShortId(Image))
            return Reply.With(GrpcMessage.Frame([]));
        if (CriMessages.HasImage(message))
        {
            if (_expected is not null)
                Environment.Found.Forget(Image);
            return Environment.RestoredNames.InImages(message) is { } restored ? Reply.With(restored) : Reply.AsItCame;
        }

        return LookFurther();
    }

    protected override Reply OnError(GrpcStatus status)
    {
        _isUnreadable = status.MayBeAboutTheName;
        return _isUnreadable ? LookFurther() : Reply.AsItCame;
    }

    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        RuntimeReply? unasked = null;
        foreach (var name in _names!.Others)
        {
            var reply = await Ask(name, cancellation);
            if (!reply.Status.IsOk)
            {
                unasked ??= reply.Status.MayBeAboutTheName ? null : reply;
                continue;
            }

            if (CriMessages.HasImage(reply.Message.Span))
            {
                Log.FoundUnderCandidate(Environment.Log, Image, name);
                if (name != _expected)
                    Environment.Found.Remember(Image, name);
                return reply.ToAnswer(FoundBy(Image, name).InImages(reply.Message.Span));
            }

            if (_names.IsRecorded(name))
                Environment.Record.Forget([_names.Recorded!]);
        }

        if (unasked is not null)
            return unasked.ToAnswer(); // "not there" would be a guess, and kubelet would pull
        return _isUnreadable && _names.IsRewritten ? s_nothing : null;
    }

    private Reply LookFurther()
    {
        if (Image.Length == 0 || ImageId.IsId(Image))
            return Reply.AsItCame;
        _names = Environment.OtherNames.Of(Image);
        return _names.Others.Count == 0 ? Reply.AsItCame : Reply.Ours;
    }

    private async Task<RuntimeReply> Ask(string name, CancellationToken cancellation)
    {
        var ahead = name == _expected ? TakeAhead() : null;
        var reply = ahead is null ? null : await AtRuntime(ahead.Finish(cancellation));
        var names = EchoedNames.Of(name, Image);
        return reply is null
            ? await Call(Rename(Request.Span, name), names, SentSecrets.None, cancellation)
            : RuntimeWords.Clean(reply, SentSecrets.None, names);
    }

    private AheadCall? TakeAhead() => Interlocked.Exchange(ref _ahead, s_taken) as AheadCall;

    /// <summary>The request for another image.</summary>
    /// <exception cref="MalformedMessageException"/>
    protected virtual byte[] Rename(ReadOnlySpan<byte> request, string name) => CriMessages.WithImage(request, name);
}
