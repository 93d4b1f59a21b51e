using System.Net;
using System.Net.Sockets;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Registries;

public sealed class HostileRegistriesTests : IAsyncLifetime
{

    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly FakeTime time = new();
    private readonly ProbeCase probe;

    public HostileRegistriesTests() => probe = new ProbeCase(time);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        probe.Dispose();
        return registry.DisposeAsync();
    }

    [Fact]
    public async Task A_host_that_drops_packets_costs_the_connect_timeout()
    {
        using var lost = new LostPackets();

        var asked = probe.Ask($"http://{lost.Host}");
        await Wait.Until(() => time.Waiting == 2); // the probe's own time, and the connection's
        time.Advance(TimeSpan.FromSeconds(2));

        (await asked).ToString().ShouldBe("unreachable (no connection within 2 s)");
    }

    [Fact]
    public async Task So_does_one_that_hangs_in_the_handshake_which_is_said()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();

        var asked = probe.Ask($"https://{mute.LocalEndpoint}");
        using var accepted = await mute.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await accepted.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(2));

        (await asked).ToString().ShouldBe("unreachable (connected, but no TLS handshake within 2 s)");
    }

    [Fact]
    public async Task A_manifest_that_never_ends_is_given_up_after_the_probe_timeout()
    {
        registry.Behave = r => r.Method == "HEAD" ? new FakeAnswer(405) : new FakeAnswer(200) { Body = [(byte)'{'], Length = 100, Then = FakeAnswer.Never };
        var asked = probe.Ask(registry);
        await registry.NextRequest();
        await registry.NextRequest();

        time.Advance(ProbeCase.Patience);

        (await asked).ToString().ShouldBe("unreachable (no answer within 5 s)");
    }

    [Theory]
    [InlineData(200, "missing (only as a manifest larger than 4 MiB)")]
    [InlineData(500, "unreachable (HTTP 500)")]
    public async Task A_manifest_of_a_gigabyte_is_not_read(int status, string result)
    {
        const long Gigabyte = 1L << 30;
        registry.Behave = r => r.Method == "HEAD" ? new FakeAnswer(405) : new FakeAnswer(status) { Length = Gigabyte, IsFilled = true };

        (await probe.Ask(registry)).ToString().ShouldBe(result);

        await Wait.Until(() => registry.OpenConnections == 0); // not left open for the rest either
        registry.BodyBytesSent.ShouldBeLessThan(Gigabyte / 16);
    }
}
