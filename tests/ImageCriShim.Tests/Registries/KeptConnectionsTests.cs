using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A kept connection that a load balancer, a firewall or a restart has ended says nothing about the registry behind it.</summary>
public sealed class KeptConnectionsTests : IDisposable
{
    private const string Unasked = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    private readonly FakeAuthority authority = new();
    private readonly X509Certificate2 certificate;
    private readonly ProbeCase probe = new();

    public KeptConnectionsTests() => certificate = authority.Issue(["127.0.0.1"]);

    public void Dispose()
    {
        probe.Dispose();
        certificate.Dispose();
        authority.Dispose();
    }

    public static TheoryData<bool, string, bool> Ends => new()
    {
        { false, "", true }, // RST
        { false, "", false }, // FIN
        { false, Unasked, false },
        { true, "", true },
        { true, "", false }, // close_notify, then FIN
        { true, Unasked, false },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_HEAD_on_it_is_asked_once_more_on_a_new_one(bool isSecure, string last, bool isReset)
    {
        await using var registry = Start(isSecure);
        await Ask(registry);
        registry.Behave = request => request.Nth > 1 ? End(last, isReset) : null;

        (await Ask(registry)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.Select(request => request.Nth).ShouldBe([1, 2, 1]);
        registry.Connections.ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_GET_too(bool isSecure, string last, bool isReset)
    {
        await using var registry = Start(isSecure);
        registry.Behave = request => (request.Method, request.Nth) switch
        {
            ("HEAD", _) => new FakeAnswer(405),
            (_, > 1) => End(last, isReset),
            _ => null,
        };

        (await Ask(registry)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.Select(request => $"{request.Method} {request.Nth}").ShouldBe(["HEAD 1", "GET 2", "GET 1"]);
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Never_twice(bool isSecure, string last, bool isReset)
    {
        await using var registry = Start(isSecure);
        await Ask(registry);
        registry.Behave = _ => End(last, isReset);

        (await Ask(registry)).ShouldBeOfType<ProbeResult.Unreachable>();

        registry.Requests.Select(request => request.Nth).ShouldBe([1, 2, 1]);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Never_on_a_new_one(bool isSecure, bool isReset)
    {
        await using var registry = Start(isSecure);
        registry.Behave = _ => End("", isReset);

        (await Ask(registry)).ShouldBeOfType<ProbeResult.Unreachable>().Reason.ShouldStartWith("it closed the connection");

        registry.Requests.Count.ShouldBe(1);
        registry.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task Not_when_the_response_had_begun()
    {
        await using var registry = Start(isSecure: false);
        await Ask(registry);
        registry.Behave = request => request.Nth > 1 ? End("HTTP/1.1 200 OK\r\nContent-Le", isReset: false) : null;

        (await Ask(registry)).ToString().ShouldBe("unreachable (it closed the connection in the middle of its answer)");

        registry.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Nor_a_POST()
    {
        await using var registry = Start(isSecure: false);
        await using var tokens = FakeTokenServer.Start();
        tokens.IdentityToken = "planted-identity";
        registry.Behave = request => tokens.Guard(request);
        var identity = new Credential.IdentityToken("planted-identity");
        (await probe.Ask(registry, credential: identity)).ShouldBeOfType<ProbeResult.Found>();
        tokens.Behave = request => request.Nth > 1 ? End("", isReset: true) : null;
        registry.Add("library/redis", "7");

        (await probe.Ask(registry, "library/redis:7", identity)).ShouldBeOfType<ProbeResult.Unreachable>();

        tokens.Requests.Select(request => $"{request.Method} {request.Nth}").ShouldBe(["POST 1", "POST 2"]);
    }

    [Fact]
    public async Task After_a_restart_all_kept_ones_are_dead_and_each_question_costs_one_more()
    {
        const int kept = 3;
        await using var registry = Start(isSecure: false);
        var go = new TaskCompletionSource();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = go.Task };
        var together = Enumerable.Range(0, kept).Select(_ => Ask(registry)).ToList();
        for (var i = 0; i < kept; i++)
            await registry.NextRequest();
        go.SetResult();
        await Task.WhenAll(together);
        registry.Behave = request => request.Nth > 1 ? End("", isReset: true) : null;

        for (var i = 0; i < kept + 1; i++)
            (await Ask(registry)).ShouldBeOfType<ProbeResult.Found>();

        registry.Requests.Skip(kept).Count(request => request.Nth > 1).ShouldBeLessThanOrEqualTo(kept + 1);
    }

    [Fact]
    public async Task The_registry_is_not_set_aside()
    {
        await using var it = new OutageCase();
        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
        it.Fake.Behave = request => request.Nth > 1 ? End("", isReset: true) : null;

        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();

        it.Outages.All.ShouldBeEmpty();
    }

    private static FakeAnswer End(string last, bool isReset) => FakeAnswer.RawText(last) with { IsReset = isReset };

    private FakeRegistry Start(bool isSecure)
    {
        var registry = isSecure ? FakeRegistry.StartWithTls(certificate) : FakeRegistry.Start();
        registry.Add("library/nginx", "1.25");
        return registry;
    }

    private Task<ProbeResult> Ask(FakeRegistry registry) => probe.Ask(registry, tls: new TlsSettings { Ca = authority.Pem });
}
