using System.Collections.Concurrent;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>Ten thousand questions with every kind of answer, and no socket is left over.</summary>
[Trait("suite", "slow")]
public sealed class SocketsTests : IAsyncLifetime
{
    private const int Probes = 10_000;
    private const int AtOnce = 8;

    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly FakeRegistry elsewhere = FakeRegistry.Start();
    private readonly FakeTokenServer tokens = FakeTokenServer.Start();
    private readonly ProbeCase probe = new();
    private readonly ConcurrentDictionary<string, Leaver> leavers = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        probe.Dispose();
        await registry.DisposeAsync();
        await elsewhere.DisposeAsync();
        await tokens.DisposeAsync();
    }

    [Fact]
    public async Task After_ten_thousand_probes_no_connection_is_left_but_those_to_be_used_again()
    {
        for (var i = 0; i < 100; i++)
        {
            registry.Add($"good/r{i}", "1");
            registry.Add($"guarded/r{i}", "1");
            elsewhere.Add($"moved/r{i}", "1");
        }
        registry.Behave = Answer;
        var results = new int[2]; // found, and others
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken };

        await Parallel.ForAsync(0, Probes, options, async (i, cancellation) =>
        {
            if (i % 10 == 9)
                await AskAndLeave(i);
            else
                Interlocked.Increment(ref results[await Ask(i, cancellation) is ProbeResult.Found ? 0 : 1]);
        });

        results.ShouldBe([Probes * 4 / 10, Probes * 5 / 10]);
        await Wait.Until(() => registry.OpenConnections + elsewhere.OpenConnections <= 2 * AtOnce); // some may still be closing
        elsewhere.Connections.ShouldBeLessThanOrEqualTo(AtOnce); // there nothing goes wrong, so each is used to the end
        probe.Dispose();
        await Wait.Until(() => registry.OpenConnections + elsewhere.OpenConnections == 0);
    }

    private static string Image(int i) => (i % 10) switch
    {
        0 or 1 => $"good/r{i % 100}:1",
        2 => $"moved/r{i % 100}:1",
        3 => $"guarded/r{i % 100}:1",
        4 => $"absent/r{i % 100}:1",
        5 => $"refusing/r{i % 100}:1",
        6 => $"half/r{i % 100}:1",
        7 => $"circle/r{i % 100}:1",
        8 => $"broken/r{i % 100}:1",
        _ => $"hung/r{i}:1",
    };

    private FakeAnswer? Answer(FakeRequest request) => request.Path.Split('/')[2] switch
    {
        "moved" => FakeAnswer.RedirectTo(elsewhere.Address + request.Path),
        "guarded" => tokens.Guard(request),
        "refusing" => request.Method == "HEAD" ? new FakeAnswer(405) : FakeAnswer.Json(403, """{"errors":[{"code":"DENIED"}]}"""),
        "half" => FakeAnswer.RawText("HTTP/1.1 200 OK\r\nContent-Le"),
        "circle" => FakeAnswer.RedirectTo(request.Path),
        "broken" => new FakeAnswer(500) { Body = Encoding.ASCII.GetBytes(new string('x', 100_000)) },
        "hung" => leavers[request.Path.Split('/')[3]].Arrived(),
        _ => null,
    };

    private Task<ProbeResult> Ask(int i, CancellationToken cancellation) =>
        probe.Ask(registry.Address, Image(i), credential: new Credential.Password("admin", "planted"), cancellation: cancellation);

    /// <summary>Leaves when the question has arrived.</summary>
    private async Task AskAndLeave(int i)
    {
        using var leaver = leavers[$"r{i}"] = new Leaver();
        await Should.ThrowAsync<OperationCanceledException>(() => Ask(i, leaver.Leaving.Token));
        leaver.HasLeft.SetResult();
    }

    private sealed class Leaver : IDisposable
    {
        public CancellationTokenSource Leaving { get; } = new();
        public TaskCompletionSource HasLeft { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FakeAnswer Arrived()
        {
            Leaving.Cancel();
            return new FakeAnswer(200) { When = HasLeft.Task };
        }

        public void Dispose() => Leaving.Dispose();
    }
}
