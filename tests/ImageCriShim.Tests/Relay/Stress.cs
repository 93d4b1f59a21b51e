using System.Security.Cryptography;
using System.Text;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Relay;

/// <summary>
/// A hundred thousand calls of every kind, cancelled and stalled at random: none lost, none hung, none wrong, nothing left over.
/// </summary>
[Trait("suite", "slow")]
public sealed class Stress : CriRelayTest
{
    private const int Callers = 8;
    private const int CallsOfEach = 12_700;
    private const int AtOnce = 24; // of one caller
    private const int Rounds = 3; // of so many calls: other tests beside this one take memory once, a leak takes it in each
    private const long MaxGrowth = 64 * 1024 * 1024; // of the whole test process, peers included; a leak of 1 KiB per call is 100 MiB

    private static readonly RawOptions s_options = new() { Record = false, CreditFrom = 20_000, Encoder = RawOptions.Indexing };

    private int _cancelled;
    private int _answered;

    [Fact]
    public async Task A_hundred_thousand_mixed_calls_are_answered_right()
    {
        Expect("pull of absent");
        Expect("not pulled absent");
        var seed = Environment.GetEnvironmentVariable("STRESS_SEED") is { Length: > 0 } given ? int.Parse(given) : 1;
        TestContext.Current.TestOutputHelper!.WriteLine($"STRESS_SEED={seed}");
        StartCri(new() { Record = false, CreditFrom = 20_000 });
        Runtime.KeepCalls = false;
        for (var i = 0; i < 20; i++)
        {
            Registry.Add($"library/pulled-{i}", "1");
            Runtime.Images.Add($"given-{i}:1");
            Runtime.Images.Add(AtRegistry($"candidate-{i}:1"));
        }

        Runtime.Images.FailPulls["absent:1"] = (5, "not found");
        var callers = new List<RawCaller>();
        for (var i = 0; i < Callers; i++)
            callers.Add(await Connect(s_options));

        await Run(callers, seed, CallsOfEach / 10); // everything is warm then
        var growth = new List<long>();
        do
        {
            var before = Memory();
            await Run(callers, seed + growth.Count + 1, CallsOfEach);
            growth.Add(Memory() - before);
        }
        while (growth[^1] >= MaxGrowth && growth.Count < Rounds);

        (_answered + _cancelled).ShouldBe(Callers * (growth.Count * CallsOfEach + CallsOfEach / 10));
        _cancelled.ShouldBeInRange(_answered / 50, _answered / 2);
        growth.Min().ShouldBeLessThan(MaxGrowth);
        await Wait.Until(() => Listener.HeldBytes == 0, "nothing is held");
        Listener.Connections.ShouldBe(Callers);
        TestContext.Current.TestOutputHelper!.WriteLine($"{_answered} answered, {_cancelled} cancelled, {string.Join(", ", growth.Select(octets => octets / 1024))} KiB more");
    }

    private async Task Run(List<RawCaller> callers, int seed, int calls) => await Task.WhenAll(callers.SelectMany((caller, number) =>
    {
        var left = calls;
        return Enumerable.Range(0, AtOnce).Select(lane => Task.Run(async () =>
        {
            var random = new Random(HashCode.Combine(seed, number, lane) & int.MaxValue);
            while (Interlocked.Decrement(ref left) >= 0)
                await CallOnce(caller, random);
        }));
    }));

    private async Task CallOnce(RawCaller caller, Random random)
    {
        var cancels = random.Next(10) == 0;
        try
        {
            await (random.Next(20) switch
            {
                < 6 => Unary(caller, random, cancels),
                < 7 => Streamed(caller, random, cancels),
                < 8 => Bidirectional(caller, random, cancels),
                < 11 => Status(caller, $"given-{random.Next(20)}:1", found: true, random, cancels),
                < 14 => Status(caller, $"candidate-{random.Next(20)}:1", found: true, random, cancels),
                < 16 => Status(caller, "absent:1", found: false, random, cancels),
                < 18 => Pull(caller, $"pulled-{random.Next(20)}:1", expected: 0, random, cancels),
                < 19 => Pull(caller, "absent:1", expected: 5, random, cancels),
                _ => Remove(caller, random, cancels),
            });
            Interlocked.Increment(ref _answered);
        }
        catch (CancelledException)
        {
            Interlocked.Increment(ref _cancelled);
        }
    }

    private static async Task Unary(RawCaller caller, Random random, bool cancels)
    {
        var message = new byte[random.Next(20) == 0 ? random.Next(300_000) : random.Next(2_000)];
        random.NextBytes(message);
        var stream = caller.Start("/test.Fake/Unary", ("echo-number", $"{random.Next(100)}"));
        await Send(stream, message, random, cancels);
        SHA256.HashData((await stream.ReadAnswerAsync()).Single).ShouldBe(SHA256.HashData(message));
    }

    private static async Task Streamed(RawCaller caller, Random random, bool cancels)
    {
        var count = random.Next(1, 40);
        var stream = caller.Start("/test.Fake/ServerStream");
        await Send(stream, Encoding.UTF8.GetBytes($$"""{"count":{{count}},"size":{{random.Next(4, 3_000)}}}"""), random, cancels);
        var numbers = (await stream.ReadAnswerAsync()).Messages.Select(message => (int)message.Bytes[3]);
        numbers.ShouldBe(Enumerable.Range(0, count));
    }

    private static async Task Bidirectional(RawCaller caller, Random random, bool cancels)
    {
        var stream = caller.Start("/test.Fake/Bidi");
        var count = random.Next(1, 6);
        for (var i = 0; i < count; i++)
        {
            byte[] message = [.. Enumerable.Repeat((byte)random.Next(256), random.Next(5_000))];
            await Send(stream, message, random, cancels && i == count - 1, end: false);
            (await stream.ReadMessageAsync())!.Content.ShouldBe(message);
        }

        stream.HalfClose();
        (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    private static async Task Status(RawCaller caller, string image, bool found, Random random, bool cancels)
    {
        var stream = caller.Start(ImageService + "ImageStatus", ("number", $"{random.Next(50)}"));
        await Send(stream, For(image), random, cancels);
        var answer = await stream.ReadAnswerAsync();
        answer.Status.ShouldBe(0);
        var tag = FindText(answer.Single, 1, 2);
        tag.EndsWith("library/" + image, StringComparison.Ordinal).ShouldBe(found, $"{tag} for {image}");
    }

    private static async Task Pull(RawCaller caller, string image, int expected, Random random, bool cancels)
    {
        var stream = caller.Start(ImageService + "PullImage");
        await Send(stream, For(image), random, cancels);
        var answer = await stream.ReadAnswerAsync();
        answer.Status.ShouldBe(expected, answer.Message);
        if (expected == 0)
            FindText(answer.Single, 1).ShouldStartWith("sha256:");
    }

    private static async Task Remove(RawCaller caller, Random random, bool cancels)
    {
        var stream = caller.Start(ImageService + "RemoveImage");
        await Send(stream, For($"pulled-{random.Next(20)}:1"), random, cancels);
        (await stream.ReadAnswerAsync()).Status.ShouldBe(0);
    }

    /// <summary>In one piece, in two with a stall between them, or given up at some moment.</summary>
    private static async Task Send(RawStream stream, byte[] message, Random random, bool cancels, bool end = true)
    {
        var body = GrpcMessage.Encode(message);
        var cut = random.Next(4) == 0 ? random.Next(body.Length) : 0;
        if (cut > 0)
        {
            await stream.SendDataAsync(body.AsMemory(0, cut));
            if (cancels && random.Next(2) == 0)
                Cancel();
            await Task.Delay(random.Next(3)); // the stall
        }

        await stream.SendDataAsync(body.AsMemory(cut), end);
        if (!cancels)
            return;
        await Task.Delay(random.Next(3)); // some are answered by then, some are not
        Cancel();

        void Cancel()
        {
            stream.Cancel();
            throw new CancelledException();
        }
    }

    private static long Memory()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Environment.WorkingSet;
    }

    private sealed class CancelledException : Exception;
}
