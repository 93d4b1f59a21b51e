using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>What a reload makes of connections to registries.</summary>
public sealed class KeepingConnectionsTests
{
    private static readonly TlsSettings s_tls = new() { InsecureSkipVerify = true }; // any that is not the default

    [Fact]
    public async Task Those_of_a_registry_that_stays_are_used_on_and_those_of_one_that_goes_are_closed_when_nobody_can_still_ask()
    {
        var time = new FakeTime();
        using var probe = new ProbeCase(time);
        await using var fake = FakeRegistry.Start();
        fake.Add("library/nginx", "1.25");
        (await probe.Ask(fake, tls: s_tls)).ShouldBeOfType<ProbeResult.Found>();

        probe.Client.Keep([], [OutageCase.Configured(fake.Address) with { Tls = s_tls }]);
        time.Advance(TimeSpan.FromHours(1));
        (await probe.Ask(fake, tls: s_tls)).ShouldBeOfType<ProbeResult.Found>();
        fake.Connections.ShouldBe(1);

        probe.Client.Keep([], [OutageCase.Configured(fake.Address)]);
        time.Advance(TimeSpan.FromSeconds(59));
        fake.OpenConnections.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(1));
        await Wait.Until(() => fake.OpenConnections == 0);
    }
}
