using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace ImageCriShim.Tests.Fakes;

/// <summary>
/// The service <c>test.Fake</c> that every fake runtime offers (tests/peers/README.md is its contract), so that the callers' scenarios run
/// against each of them.
/// </summary>
internal static class FakeMethods
{
    private const int MaxMessageBytes = 64 * 1024 * 1024; // a ServerStream message or a Fail is asked for by a test; far beyond its 32 MB

    public static void Serve(FakeRuntime runtime)
    {
        var endings = new ConcurrentDictionary<string, TaskCompletionSource<Ending>>();
        TaskCompletionSource<Ending> EndingOf(string id) =>
            endings.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

        runtime.On("/test.Fake/Unary", async call =>
        {
            var message = await call.ReadRequestAsync();
            call.SendHeaders(Echoed(call));
            await call.SendAsync(message);
            call.Finish(Trailing(call));
        });
        runtime.On("/test.Fake/GzipUnary", async call =>
        {
            var message = await call.ReadRequestAsync();
            call.SendHeaders([("grpc-encoding", "gzip"), .. Echoed(call)]);
            await call.SendAsync(message, gzip: true);
            call.Finish(Trailing(call));
        });
        runtime.On("/test.Fake/Inspect", async call =>
        {
            await call.ReadRequestAsync();
            await call.AnswerAsync(Describe(call));
        });
        runtime.On("/test.Fake/ServerStream", async call =>
        {
            using var asked = JsonDocument.Parse(await call.ReadRequestAsync());
            call.SendHeaders(Echoed(call));
            await SendNumberedAsync(call, asked.RootElement.GetProperty("count").GetInt32(),
                asked.RootElement.GetProperty("size").GetInt32());
            call.Finish(Trailing(call));
        });
        runtime.On("/test.Fake/ClientStream", AnswerClientStream);
        runtime.On("/test.Fake/Bidi", async call =>
        {
            call.SendHeaders(Echoed(call));
            var count = 0;
            while (await call.ReadAsync() is { } message)
            {
                await call.SendAsync(message);
                count++;
            }

            call.Finish([("trail-count", count.ToString()), .. Trailing(call)]);
        });
        runtime.On("/test.Fake/Fail", AnswerFail);
        runtime.On("/test.Fake/Hang", async call =>
        {
            var request = await call.ReadRequestAsync();
            using var asked = JsonDocument.Parse(request);
            var id = asked.RootElement.GetProperty("id").GetString()!;
            call.SendHeaders(("hanging", id));
            await Task.Delay(Timeout.Infinite, call.Cancelled).ContinueWith(_ => { }, TaskScheduler.Default);
            EndingOf(id).TrySetResult(new(NowNanoseconds(), call.Find("grpc-timeout") is not null));
        });
        runtime.On("/test.Fake/Seen", async call =>
        {
            using var asked = JsonDocument.Parse(await call.ReadRequestAsync());
            var ending = await EndingOf(asked.RootElement.GetProperty("id").GetString()!).Task.WaitAsync(RawConnection.Patience);
            await call.AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(new { at = ending.At, deadline = ending.HadDeadline }));
        });
    }

    /// <summary>CLOCK_MONOTONIC, the clock that Python and Node give too.</summary>
    public static long NowNanoseconds() => (long)(Stopwatch.GetTimestamp() * (1_000_000_000.0 / Stopwatch.Frequency));

    private sealed record Ending(long At, bool HadDeadline);

    private static IEnumerable<Header> Echoed(FakeCall call) =>
        call.Headers.Where(field => field.Name.StartsWith("echo-", StringComparison.Ordinal));

    private static IEnumerable<Header> Trailing(FakeCall call) =>
        Echoed(call).Select(field => new Header("trail-" + field.Name["echo-".Length..], field.Value));

    private static async Task SendNumberedAsync(FakeCall call, int count, int size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaxMessageBytes);
        for (var number = 0; number < count; number++)
        {
            var message = new byte[Math.Max(4, size)];
            BinaryPrimitives.WriteInt32BigEndian(message, number);
            await call.SendAsync(message);
        }
    }

    private static async Task AnswerClientStream(FakeCall call)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (count, bytes) = (0, 0L);
        while (await call.ReadAsync() is { } message)
        {
            hash.AppendData(message);
            bytes += message.Length;
            count++;
        }

        call.SendHeaders(Echoed(call));
        await call.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new
        {
            messages = count,
            bytes,
            sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
        }));
        call.Finish(Trailing(call));
    }

    private static async Task AnswerFail(FakeCall call)
    {
        using var asked = JsonDocument.Parse(await call.ReadRequestAsync());
        var root = asked.RootElement;
        var after = root.TryGetProperty("after", out var count) ? count.GetInt32() : -1;
        if (after >= 0) call.SendHeaders(Echoed(call));
        await SendNumberedAsync(call, Math.Max(0, after), 100);
        var trailers = Trailing(call).ToList();
        if (root.TryGetProperty("details", out var details)) trailers.Add(("grpc-status-details-bin", details.GetString()!.TrimEnd('=')));
        call.Fail(root.GetProperty("code").GetInt32(), root.GetProperty("message").GetString()!, trailers);
    }

    private static byte[] Describe(FakeCall call) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        metadata = call.Headers.Where(field => field.Name != "grpc-timeout").Select(field => new[] { field.Name, field.Value }),
        deadline = call.Find("grpc-timeout") is not null,
    });
}
