using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Registries;

public sealed class ConnectingTests : IDisposable
{
    private readonly FakeTime time = new();
    private readonly RegistryClient client;

    public ConnectingTests() => client = new RegistryClient(time);

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task A_registry_that_listens_can_be_connected_to_and_is_asked_nothing()
    {
        await using var registry = FakeRegistry.Start();

        (await CanConnect(registry.Address)).ShouldBeTrue();

        registry.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Neither_a_closed_port_nor_a_name_that_nobody_knows_can()
    {
        using var closed = new ClosedPort();

        (await CanConnect($"http://127.0.0.1:{closed.Number}")).ShouldBeFalse();
        (await CanConnect("http://no-such-registry.invalid:5000")).ShouldBeFalse();
    }

    [Fact]
    public async Task Lost_packets_are_waited_for_as_long_as_said()
    {
        using var lost = new LostPackets();
        var asked = CanConnect($"http://{lost.Host}");

        time.Advance(TimeSpan.FromMilliseconds(249));
        asked.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(1));

        (await asked).ShouldBeFalse();
    }

    [Fact]
    public async Task Going_away_ends_the_attempt_with_the_callers_cancellation()
    {
        using var lost = new LostPackets();
        using var leaving = new CancellationTokenSource();
        var asked = CanConnect($"http://{lost.Host}", leaving.Token);

        leaving.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => asked);
    }

    private Task<bool> CanConnect(string address, CancellationToken? cancellation = null)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        return client.CanConnect(parsed!, TimeSpan.FromMilliseconds(250), cancellation ?? TestContext.Current.CancellationToken);
    }
}
