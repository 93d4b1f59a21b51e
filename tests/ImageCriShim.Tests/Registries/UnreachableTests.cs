using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class UnreachableTests : IAsyncLifetime
{
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly FakeTime time = new();
    private readonly ProbeCase probe;

    public UnreachableTests() => probe = new ProbeCase(time);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        probe.Dispose();
        return registry.DisposeAsync();
    }

    [Fact]
    public async Task A_closed_port_is_refused()
    {
        using var closed = new ClosedPort();

        (await probe.Ask($"http://127.0.0.1:{closed.Number}")).ToString().ShouldBe("unreachable (connection refused)");
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_said_to_be_unknown() =>
        (await probe.Ask("http://no-such-registry.invalid:5000")).ShouldBeOfType<ProbeResult.Unreachable>().Reason.ShouldContain("name");

    [Fact]
    public async Task A_registry_that_never_answers_is_given_up_after_the_probe_timeout()
    {
        registry.Behave = _ => FakeAnswer.Hang;
        var asked = probe.Ask(registry);
        await registry.NextRequest();

        time.Advance(ProbeCase.Patience - TimeSpan.FromMilliseconds(1));
        asked.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(1));

        var result = await asked;
        result.ToString().ShouldBe("unreachable (no answer within 5 s)");
        result.Elapsed.ShouldBe(ProbeCase.Patience);
    }

    [Fact]
    public async Task A_late_answer_counts_and_its_time_is_told()
    {
        registry.Add("library/nginx", "1.25");
        var go = new TaskCompletionSource();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = go.Task };
        var asked = probe.Ask(registry);
        await registry.NextRequest();

        time.Advance(TimeSpan.FromSeconds(3));
        go.SetResult();

        (await asked).ShouldBeOfType<ProbeResult.Found>().Elapsed.ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Ty", "it closed the connection in the middle of its answer")]
    [InlineData("", "it closed the connection without an answer")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n", "its answer is not HTTP; does it speak https?")]
    public async Task Half_an_answer_and_none_at_all_are_told_apart(string raw, string reason)
    {
        registry.Behave = _ => FakeAnswer.RawText(raw);

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Unreachable>().Reason.ShouldBe(reason);
    }

    [Fact]
    public async Task A_manifest_that_breaks_off_is_no_answer()
    {
        registry.Behave = r => r.Method == "HEAD"
            ? new FakeAnswer(405)
            : FakeAnswer.RawText("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"schemaVersion\":2");

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (it closed the connection in the middle of its answer)");
    }

    [Fact]
    public async Task Endless_headers_are_no_answer()
    {
        registry.Behave = _ => FakeAnswer.RawText("HTTP/1.1 200 OK\r\nX: " + new string('x', 128 * 1024) + "\r\n\r\n");

        (await probe.Ask(registry)).ToString().ShouldBe("unreachable (its answer has too many headers)");
    }

    [Fact]
    public async Task A_registry_that_closed_its_idle_connection_is_asked_over_a_new_one()
    {
        registry.Add("library/nginx", "1.25");
        registry.Behave = _ => FakeAnswer.RawText("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"); // and closes
        await probe.Ask(registry);
        registry.Behave = _ => null;

        (await probe.Ask(registry)).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task Plain_http_where_TLS_is_expected_is_said_so() =>
        (await probe.Ask($"https://{registry.Host}")).ToString().ShouldBe("unreachable (the TLS handshake failed: it speaks plain http)");

    [Fact]
    public async Task Going_away_ends_the_question_with_the_callers_cancellation()
    {
        registry.Behave = _ => FakeAnswer.Hang;
        using var client = new RegistryClient(time);
        using var leaving = new CancellationTokenSource();
        RegistryAddress.TryParse(registry.Address, out var address, out _).ShouldBeTrue();
        ImageCriShim.Images.Reference.TryParse($"{registry.Host}/a", out var name).ShouldBeTrue();
        var asked = client.Probe(new Registry(address), name, ProbeCase.Patience, leaving.Token);
        await registry.NextRequest();

        leaving.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => asked);
    }
}
