using System.Net;
using System.Net.Sockets;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Connecting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A name server that does not answer is no registry that does not.</summary>
public sealed class NamesThatAreNotLookedUpTests
{
    private readonly FakeTime time = new();
    private readonly TaskCompletionSource<IPAddress[]> answer = new();
    private readonly TaskCompletionSource isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task The_name_server_is_named_that_does_not_answer_in_time()
    {
        using var probe = new ProbeCase(time, lookUp: LookUp);

        var asked = probe.Ask("https://hub.corp:5000");
        await Wait.For(isAsked.Task);
        time.Advance(ProbeCase.Patience);

        var failed = (await asked).ShouldBeOfType<ProbeResult.Unreachable>();
        failed.Reason.ShouldBe($"its name could not be looked up within 5 s{NameServers.Describe()}");
        failed.IsOfConnection.ShouldBeTrue();
    }

    [Fact]
    public async Task One_that_takes_longer_than_a_connection_may_is_waited_for()
    {
        await using var registry = FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        using var probe = new ProbeCase(time, lookUp: LookUp);

        var asked = probe.Ask($"http://hub.corp:{registry.Port}");
        await Wait.For(isAsked.Task);
        time.Advance(TimeSpan.FromSeconds(4));
        answer.SetResult([IPAddress.Loopback]);

        (await asked).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData(SocketError.TryAgain, "DNS does not answer for its name")]
    [InlineData(SocketError.HostNotFound, "its name is not known to DNS or /etc/hosts")]
    [InlineData(SocketError.NoData, "its name is not known to DNS or /etc/hosts")]
    public async Task What_it_answers_instead_is_told(SocketError error, string reason)
    {
        answer.SetException(new SocketException((int)error));
        using var probe = new ProbeCase(time, lookUp: LookUp);

        (await probe.Ask("https://hub.corp:5000")).ToString()
            .ShouldBe($"unreachable ({reason}{(error == SocketError.TryAgain ? NameServers.Describe() : "")})");
    }

    [Fact]
    public async Task A_name_without_an_address_is_not_known()
    {
        answer.SetResult([]);
        using var probe = new ProbeCase(time, lookUp: LookUp);

        (await probe.Ask("https://hub.corp:5000")).ToString().ShouldBe("unreachable (its name is not known to DNS or /etc/hosts)");
    }

    [Theory]
    [InlineData("nameserver 10.0.0.2\n", " (name server 10.0.0.2)")]
    [InlineData("# mine\nsearch corp\nnameserver\t10.0.0.2\r\nnameserver fd00::1\noptions timeout:1\n", " (name servers 10.0.0.2, fd00::1)")]
    [InlineData("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4", " (name servers 1.1.1.1, 1.1.1.2, 1.1.1.3)")]
    [InlineData("nameserver dns.corp\n", "")]
    [InlineData("", "")]
    public void Name_servers_are_those_of_resolv_conf(string content, string described) => NameServers.Describe(content).ShouldBe(described);

    private Task<IPAddress[]> LookUp(string host, CancellationToken cancellation)
    {
        isAsked.TrySetResult();
        return answer.Task.WaitAsync(cancellation);
    }
}
