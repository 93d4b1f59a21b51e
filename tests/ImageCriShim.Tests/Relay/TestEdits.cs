using System.Text;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Tests.Relay;

/// <summary>Edited calls of every kind, by path; everything else is forwarded.</summary>
internal static class TestEdits
{
    /// <summary>The last part of the paths that are taken over.</summary>
    internal static readonly string[] Kinds = ["Forward", "Watch", "WatchAndAnswer", "Answer", "AnswerLate"];

    internal static readonly byte[] Answered = Fakes.GrpcMessage.Encode("answered"u8);

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
        internal override Verdict OnRequest(ReadOnlyMemory<byte> body) => kind switch
        {
            "Forward" => Verdict.Forward,
            "Watch" or "WatchAndAnswer" => Verdict.Watch,
            _ => Verdict.Answer,
        };

        internal override Reply OnAnswer(HeldAnswer answer) =>
            kind == "Watch" || (answer.FindEncoding() is { Length: 0 } && answer.Body.IsEmpty) ? Reply.AsItCame : Reply.Ours;

        internal override async Task<StreamAnswer?> Answer(CancellationToken cancellation)
        {
            if (kind == "AnswerLate")
                await Task.Delay(5, cancellation); // an answer that comes while other frames pass
            return new StreamAnswer([], Answered, [new("grpc-status", "0")]);
        }
    }
}
