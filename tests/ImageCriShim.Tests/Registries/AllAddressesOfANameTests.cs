using System.Net;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Connecting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Registries;

/// <summary>A name has several addresses, and not all of them live (RFC 8305).</summary>
public sealed class AllAddressesOfANameTests : IAsyncLifetime
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(100);

    private readonly FakeTime time = new();
    private readonly FakeRegistry registry = FakeRegistry.Start();
    private readonly Dictionary<string, IPAddress[]> names = [];
    private readonly Dictionary<string, string> environment = [];
    private readonly List<LostPackets> lost = [];
    private readonly ProbeCase probe;

    public AllAddressesOfANameTests()
    {
        registry.Add("library/nginx", "1.25");
        probe = new ProbeCase(time, name => environment.GetValueOrDefault(name), lookUp: (host, _) => Task.FromResult(names[host]));
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        probe.Dispose();
        lost.ForEach(one => one.Dispose());
        await registry.DisposeAsync();
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("::1")]
    [InlineData("127.0.0.2", "127.0.0.3")]
    [InlineData("::1", "127.0.0.2", "127.0.0.3")]
    public async Task Addresses_that_drop_packets_cost_a_tenth_of_a_second_each(params string[] dead)
    {
        Name("hub.corp", registry.Port, dead);

        var asked = probe.Ask($"http://hub.corp:{registry.Port}");
        await PassDelays(asked, dead.Length);

        var found = (await asked).ShouldBeOfType<ProbeResult.Found>();
        found.Elapsed.ShouldBe(s_delay * dead.Length);
    }

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("::1")]
    [InlineData("::1", "127.0.0.2", "127.0.0.3")]
    public async Task The_short_look_whether_everything_is_down_reaches_the_last_of_them_in_its_quarter_of_a_second(params string[] dead)
    {
        var patience = TimeSpan.FromMilliseconds(250);
        Name("hub.corp", registry.Port, dead);
        RegistryAddress.TryParse($"http://hub.corp:{registry.Port}", out var address, out _).ShouldBeTrue();

        var asked = probe.Client.CanConnect(address, patience, TestContext.Current.CancellationToken);
        for (var i = 0; i < dead.Length; i++)
        {
            await Wait.Until(() => asked.IsCompleted || time.Waiting == 2); // the patience, and the wait for the next
            time.Advance(HappyEyeballs.DelayWithin(patience, dead.Length + 1));
        }

        (await asked.WaitAsync(RawConnection.Patience, TestContext.Current.CancellationToken)).ShouldBeTrue();
        TimeSpan.FromTicks(time.GetTimestamp()).ShouldBeLessThan(patience);
    }

    [Fact]
    public async Task One_that_refuses_is_not_waited_for()
    {
        names["hub.corp"] = [IPAddress.Parse("127.0.0.2"), IPAddress.IPv6Loopback, IPAddress.Loopback];

        (await probe.Ask($"http://hub.corp:{registry.Port}")).ShouldBeOfType<ProbeResult.Found>().Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task If_all_refuse_the_registry_does()
    {
        using var closed = new ClosedPort();
        names["hub.corp"] = [IPAddress.Parse("127.0.0.2"), IPAddress.IPv6Loopback, IPAddress.Loopback];

        (await probe.Ask($"http://hub.corp:{closed.Number}")).ToString().ShouldBe("unreachable (connection refused)");
    }

    [Fact]
    public async Task If_all_drop_packets_there_is_no_connection_within_two_seconds()
    {
        Name("hub.corp", registry.Port, "127.0.0.2", "127.0.0.3");
        names["hub.corp"] = names["hub.corp"][..2];

        var asked = probe.Ask($"http://hub.corp:{registry.Port}");
        await PassDelays(asked, 1);
        await Wait.Until(() => lost[1].Attempts == LostPackets.Own + 1);
        time.Advance(TimeSpan.FromSeconds(2) - s_delay);

        (await asked).ToString().ShouldBe("unreachable (no connection within 2 s)");
    }

    [Fact]
    public async Task The_attempts_that_lose_are_ended()
    {
        Name("hub.corp", registry.Port, "127.0.0.2");

        var asked = probe.Ask($"http://hub.corp:{registry.Port}");
        await PassDelays(asked, 1);
        await asked;

        await Wait.Until(() => lost[0].Attempts == LostPackets.Own);
        registry.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_token_server_is_reached_so()
    {
        await using var tokens = FakeTokenServer.Start();
        var port = int.Parse(tokens.Host.Split(':')[1]);
        Name("auth.corp", port, "127.0.0.2");
        registry.Behave = request => tokens.Guard(request, $"Bearer realm=\"http://auth.corp:{port}/token\"");

        var asked = probe.Ask(registry);
        await PassDelays(asked, 1, timers: 4); // the token has a time of its own

        (await asked).ShouldBeOfType<ProbeResult.Found>().Elapsed.ShouldBe(s_delay);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_proxy_is_reached_so(string scheme)
    {
        using var authority = new FakeAuthority();
        using var certificate = authority.Issue(["hub.corp"]);
        await using var secure = FakeRegistry.StartWithTls(certificate);
        secure.Add("library/nginx", "1.25");
        await using var proxy = FakeHttpProxy.Start();
        var port = int.Parse(proxy.Host.Split(':')[1]);
        proxy.Hosts["hub.corp:5000"] = scheme == "http" ? registry.Port : secure.Port;
        Name("proxy.corp", port, "127.0.0.2");
        environment["HTTP_PROXY"] = environment["HTTPS_PROXY"] = $"http://proxy.corp:{port}";
        using var behind = new ProbeCase(time, name => environment.GetValueOrDefault(name), lookUp: (host, _) => Task.FromResult(names[host]));

        var asked = behind.Ask($"{scheme}://hub.corp:5000", tls: new TlsSettings { Ca = authority.Pem });
        await PassDelays(asked, 1);

        (await asked).ShouldBeOfType<ProbeResult.Found>().Elapsed.ShouldBe(s_delay);
    }

    [Theory]
    [InlineData("127.0.0.1", "169.254.169.254")]
    [InlineData("fe80::1", "127.0.0.1")]
    [InlineData("127.0.0.1", "::ffff:169.254.169.254")]
    public async Task A_host_that_a_registry_names_may_have_no_link_local_address_among_them(params string[] addresses)
    {
        await using var elsewhere = FakeRegistry.Start();
        elsewhere.Add("library/nginx", "1.25");
        names["elsewhere.corp"] = [.. addresses.Select(IPAddress.Parse)];
        registry.Behave = request => FakeAnswer.RedirectTo($"http://elsewhere.corp:{elsewhere.Port}{request.Path}");

        (await probe.Ask(registry)).ToString().ShouldContain("where clouds keep secrets of their own");
        elsewhere.Connections.ShouldBe(0);
    }

    [Fact]
    public void Families_take_turns_and_the_resolvers_choice_comes_first() => HappyEyeballs.Order(
        [.. new[] { "2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2" }.Select(IPAddress.Parse)])
        .Select(address => $"{address}").ShouldBe(["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"]);

    [Theory]
    [InlineData(2000, 2, 100)]
    [InlineData(250, 1, 100)]
    [InlineData(250, 2, 83)]
    [InlineData(250, 4, 50)]
    [InlineData(250, 16, 14)] // no less than 10: RFC 8305 section 5
    public void The_last_address_has_as_long_as_lies_between_two(int patience, int addresses, int milliseconds) =>
        ((int)HappyEyeballs.DelayWithin(TimeSpan.FromMilliseconds(patience), addresses).TotalMilliseconds).ShouldBe(milliseconds);

    /// <summary>Gives the name these addresses, where nobody answers, and behind them the one of the fakes.</summary>
    private void Name(string name, int port, params string[] dead)
    {
        var addresses = dead.Select(IPAddress.Parse).ToList();
        lost.AddRange(addresses.Select(address => new LostPackets(address, port)));
        names[name] = [.. addresses, IPAddress.Loopback];
    }

    /// <param name="timers">Of the question, of the connection, and of the wait for the next address.</param>
    private async Task PassDelays(Task asked, int count, int timers = 3)
    {
        for (var i = 0; i < count; i++)
        {
            await Wait.Until(() => asked.IsCompleted || time.Waiting == timers);
            time.Advance(s_delay);
        }
    }
}
