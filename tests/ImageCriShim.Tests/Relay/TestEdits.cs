using System.Text;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Tests.Relay;

/// <summary>Edited calls of every kind, by path; everything else is forwarded.</summary>
internal static class TestEdits
{
    /// <summary>The last part of the paths that are taken over.</summary>
    internal static readonly string[] Kinds = ["Forward", "Prepare", "PrepareLate", "Watch", "WatchAndReplace", "WatchEach", "WatchAndAnswer", "Answer", "AnswerLate"];

    internal static readonly byte[] Answered = Fakes.GrpcMessage.Encode("answered"u8);

    /// <summary>Whether the runtime's own answer comes back.</summary>
    internal static bool IsRuntimes(string kind) => kind is not ("WatchAndAnswer" or "Answer" or "AnswerLate");

    internal static string PathOf(string kind) => $"/test.Edit/{kind}";

    internal static CallRoute Route(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers)
    {
        var text = Encoding.Latin1.GetString(path);
        if (text == PathOf("Rename"))
            return new CallRoute(null, "/test.Fake/Unary"u8.ToArray());
        return text.StartsWith("/test.Edit/", StringComparison.Ordinal) && Kinds.Contains(text["/test.Edit/".Length..])
            ? new CallRoute(new TestEdit(text["/test.Edit/".Length..]))
            : default;
    }

    private sealed class TestEdit(string kind) : EditedCall
    {
        private ReadOnlyMemory<byte> _body;

        internal override Verdict OnRequest(ReadOnlyMemory<byte> body)
        {
            _body = body;
            return kind switch
            {
                "Forward" => Verdict.Forward,
                "Prepare" or "PrepareLate" => Verdict.Prepare,
                "Watch" or "WatchAndReplace" or "WatchAndAnswer" => Verdict.Watch,
                "WatchEach" => Verdict.WatchEach,
                _ => Verdict.Answer,
            };
        }

        internal override async Task<ReadOnlyMemory<byte>> Prepare(CancellationToken cancellation)
        {
            if (kind == "PrepareLate")
                await Task.Delay(5, cancellation); // while other frames pass
            return _body.ToArray();
        }

        internal override ReadOnlyMemory<byte> OnMessage(ReadOnlyMemory<byte> message, Func<string?> encoding) =>
            encoding() is { Length: > 100 } ? default : message.ToArray();

        internal override Reply OnAnswer(HeldAnswer answer) =>
            kind == "WatchAndReplace" ? Reply.With(answer.Body.ToArray()) :
            kind == "Watch" || (answer.FindEncoding() is { Length: 0 } && answer.Body.IsEmpty) ? Reply.AsItCame : Reply.Ours;

        internal override async Task<StreamAnswer?> Answer(CancellationToken cancellation)
        {
            if (kind == "AnswerLate")
                await Task.Delay(5, cancellation); // an answer that comes while other frames pass
            return new StreamAnswer([], Answered, [new("grpc-status", "0")]);
        }
    }
}
