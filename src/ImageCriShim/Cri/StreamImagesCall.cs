using System.Buffers;
using System.Buffers.Binary;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Relay;

namespace ImageCriShim.Cri;

/// <summary>
/// What <see cref="ListImagesCall"/> is to ListImages. All images pass through one by one, however many there are; those of one name are
/// few and are held, because only their absence tells that another name is to be tried.
/// </summary>
internal sealed class StreamImagesCall(CallEnvironment environment, CallerHead head) : ImageCall(environment, head)
{
    private static readonly StreamAnswer s_nothing = StreamAnswer.Ok(null);

    private NamesOfImage? _names; // where the runtime has nothing by the one as given
    private bool _isUnreadable; // the name as given, for the runtime

    internal override ReadOnlyMemory<byte> OnMessage(ReadOnlyMemory<byte> message, Func<string?> encoding)
    {
        try
        {
            return GrpcMessage.TryReadOnly(message, encoding, out var images) && Environment.RestoredNames.InImages(images.Span) is { } restored
                ? restored
                : message;
        }
        catch (MalformedMessageException)
        {
            return message; // the caller's to judge
        }
    }

    internal override Reply OnAnswer(HeldAnswer answer)
    {
        if (!answer.Body.IsEmpty)
            return Reply.With(EditEach(answer));
        var status = GrpcStatus.Of(answer);
        _isUnreadable = status.MayBeAboutTheName;
        if (!status.IsOk && !_isUnreadable)
            return Reply.AsItCame;
        _names = Environment.OtherNames.Of(Image);
        return _names.Others.Count == 0 ? Reply.AsItCame : Reply.Ours;
    }

    protected override string GetImage(ReadOnlySpan<byte> request) => CriMessages.GetFilter(request);

    protected override Verdict DecideName() => Verdict.Watch;

    protected override Verdict DecideId() => DecideNone();

    protected override Verdict DecideNone() => Environment.Settings.Names is ShownNames.Actual ? Verdict.Forward : Verdict.WatchEach;

    // By the unary method, which every runtime has that has this one.
    protected override async Task<StreamAnswer?> AnswerInTime(CancellationToken cancellation)
    {
        RuntimeReply? unasked = null;
        foreach (var name in _names!.Others)
        {
            var reply = await Call("ImageService/ListImages", CriMessages.WithFilter(Request.Span, name), cancellation);
            if (!reply.Status.IsOk && !reply.Status.MayBeAboutTheName)
                unasked ??= reply;
            if (!reply.Status.IsOk || !CriMessages.HasImage(reply.Message.Span))
                continue;
            Log.FoundUnderCandidate(Environment.Log, Image, name);
            return new StreamAnswer(reply.Headers, FrameEach(reply.Message.Span, FoundBy(Image, name)), reply.Trailers);
        }

        return unasked is not null ? unasked.ToAnswer() : _isUnreadable && _names.IsRewritten ? s_nothing : null;
    }

    private ReadOnlyMemory<byte> EditEach(HeldAnswer answer)
    {
        var edited = new ArrayBufferWriter<byte>(answer.Body.Length);
        for (var rest = answer.Body; !rest.IsEmpty;)
        {
            var length = rest.Length < GrpcMessage.PrefixBytes
                ? rest.Length
                : (int)Math.Min(rest.Length, GrpcMessage.PrefixBytes + (long)BinaryPrimitives.ReadUInt32BigEndian(rest.Span[1..]));
            edited.Write(OnMessage(rest[..length], answer.FindEncoding).Span);
            rest = rest[length..];
        }

        return edited.WrittenMemory;
    }

    /// <summary>A message of the stream for each image of a list.</summary>
    private static ReadOnlyMemory<byte> FrameEach(ReadOnlySpan<byte> listImagesResponse, RestoredNames names)
    {
        var frames = new ArrayBufferWriter<byte>(listImagesResponse.Length + 64);
        for (var fields = new ProtoReader(listImagesResponse); fields.Next();)
        {
            if (fields.Number == CriMessages.ResponseImage)
                frames.Write((names.InImages(fields.Whole) ?? GrpcMessage.Frame(fields.Whole)).Span);
        }

        return frames.WrittenMemory;
    }
}
