using System.Collections.Concurrent;
using System.Text;
using ImageCriShim.Cri;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// Edited calls for tests of the relay alone: <c>/edit/Forward</c>, <c>/edit/Watch</c> (the runtime's answer is accepted),
/// <c>/edit/Refuse</c> (it is not, and the shim answers), <c>/edit/Answer</c> (the runtime never gets the body). The runtime serves
/// them all, answering with the request turned round, or, behind <c>/edit/Silent</c> and <c>/edit/EachSilent</c>, never; the shim's own
/// answer is the request as it is.
/// <c>/edit/Replace</c> (the runtime's answer in other words), <c>/edit/Each</c> (each of its messages in other words) and
/// <c>/edit/Prepare</c> (the request in other words) edit what passes. <c>/old/...</c> is renamed to <c>/new/...</c>.
/// </summary>
internal sealed class FakeEdits
{
    private readonly ConcurrentQueue<FakeEdit> _calls = new();

    internal IReadOnlyList<FakeEdit> Calls => [.. _calls];

    /// <summary>What the shim answers by itself.</summary>
    internal Func<FakeEdit, CancellationToken, Task<StreamAnswer?>> Answer { get; set; } =
        (edit, _) => Task.FromResult<StreamAnswer?>(Ok(edit.Body.ToArray()));

    /// <summary>What becomes of an edited message; it may become longer or shorter.</summary>
    internal Func<byte[], byte[]> Edit { get; set; } = message => message;

    /// <summary>Waited for before a request is edited.</summary>
    internal Func<CancellationToken, Task> BeforePrepare { get; set; } = _ => Task.CompletedTask;

    /// <summary>An answer with these gRPC frames and status OK.</summary>
    internal static StreamAnswer Ok(byte[] body) => new([], body, [new("grpc-status", "0")]);

    internal CallRoute Route(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers) => Encoding.ASCII.GetString(path) switch
    {
        "/edit/Forward" => Take(Verdict.Forward),
        "/edit/Watch" or "/edit/Silent" => Take(Verdict.Watch),
        "/edit/Refuse" => Take(Verdict.Watch, accepts: false),
        "/edit/Answer" => Take(Verdict.Answer),
        "/edit/Replace" => Take(Verdict.Watch, replaces: true),
        "/edit/Each" or "/edit/EachSilent" => Take(Verdict.WatchEach),
        "/edit/Prepare" => Take(Verdict.Prepare),
        ['/', 'o', 'l', 'd', '/', .. var rest] => new CallRoute(null, Encoding.ASCII.GetBytes($"/new/{rest}")),
        _ => new CallRoute(null, IsStream: CriRouter.IsStream(path)),
    };

    internal static void Serve(FakeRuntime runtime)
    {
        foreach (var path in (string[])["/edit/Forward", "/edit/Watch", "/edit/Refuse", "/edit/Answer", "/edit/Replace", "/edit/Each", "/edit/Prepare", "/new/Echo"])
        {
            runtime.On(path, async call => await call.AnswerAsync(Reverse(await call.ReadRequestAsync())));
        }

        foreach (var path in (string[])["/edit/Silent", "/edit/EachSilent", "/test/Silent"])
            runtime.On(path, async call => await Task.Delay(Timeout.Infinite, call.Cancelled));
    }

    internal static byte[] Reverse(byte[] message) => [.. Enumerable.Reverse(message)];

    private CallRoute Take(Verdict verdict, bool accepts = true, bool replaces = false)
    {
        var edit = new FakeEdit(this, verdict, accepts, replaces);
        _calls.Enqueue(edit);
        return new CallRoute(edit);
    }
}

internal sealed class FakeEdit(FakeEdits edits, Verdict verdict, bool accepts, bool replaces) : EditedCall
{
    private readonly TaskCompletionSource<CancellationToken> _answering = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The request's gRPC frames.</summary>
    internal ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>Completes when the shim is asked for its own answer, with what tells that the caller went away.</summary>
    internal Task<CancellationToken> Answering => _answering.Task.WaitAsync(RawConnection.Patience);

    internal override Verdict OnRequest(ReadOnlyMemory<byte> body)
    {
        Body = body;
        return verdict;
    }

    internal override Reply OnAnswer(HeldAnswer answer) =>
        replaces ? Reply.With(Edit(answer.Body)) : accepts ? Reply.AsItCame : Reply.Ours;

    internal override ReadOnlyMemory<byte> OnMessage(ReadOnlyMemory<byte> message, Func<string?> encoding) => Edit(message);

    internal override async Task<ReadOnlyMemory<byte>> Prepare(CancellationToken cancellation)
    {
        await edits.BeforePrepare(cancellation);
        return Edit(Body);
    }

    internal override Task<StreamAnswer?> Answer(CancellationToken cancellation)
    {
        _answering.TrySetResult(cancellation);
        return edits.Answer(this, cancellation);
    }

    private ReadOnlyMemory<byte> Edit(ReadOnlyMemory<byte> framed) => Fakes.GrpcMessage.Encode(edits.Edit(framed[Fakes.GrpcMessage.PrefixLength..].ToArray()));
}
