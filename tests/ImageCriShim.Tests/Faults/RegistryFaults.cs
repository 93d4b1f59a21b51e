using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Faults;

/// <summary>A registry that fails costs nobody anything but those who pull; they get the image from the next one.</summary>
[Collection<FaultTests>]
[Trait("suite", "faults")]
public sealed class RegistryFaults(FaultNode node)
{
    // A pull that was under way at the failing registry ends by the deadline of the settings, which is 3 s here.
    private static readonly (string, GrpcStatus)[] s_underWay =
        [(Workload.PullImage, GrpcStatus.DeadlineExceeded), (Workload.PullImage, GrpcStatus.Unknown), (Workload.PullImage, GrpcStatus.Cancelled)];

    // It answers probes, so it is pulled from, until one pull has waited for 10 s.
    private const string HungInBody = "hung in its answer's headers or body";

    private static readonly Dictionary<string, LineFault> s_faults = new()
    {
        ["killed (connections refused)"] = LineFault.Refused,
        ["hung: packets dropped"] = LineFault.Dropped,
        ["hung after the request"] = LineFault.HungAfter(0),
        ["hung in its answer's first line"] = LineFault.HungAfter(10),
        [HungInBody] = LineFault.HungAfter(400),
        ["slow (2 Mbit/s)"] = LineFault.Slow,
        ["losing 20 % (late by retransmissions)"] = LineFault.Lossy,
        ["answering 500"] = LineFault.Broken,
        ["out of disk (503)"] = LineFault.OutOfDisk,
    };

    public static TheoryData<string> Kinds => [.. s_faults.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Pulls_come_from_the_next_registry_and_nothing_else_notices(string kind)
    {
        var fault = s_faults[kind];
        var (timeout, duration) = kind == HungInBody ? (15, 5) : fault.IsSlow ? (30, 8) : (3, 5); // seconds
        await using var scene = await Scene.Set(node, $"a registry {kind}", new() { Timeout = TimeSpan.FromSeconds(timeout) });

        var effect = await scene.Suffer(() => Set(scene.Offline, fault), TimeSpan.FromSeconds(duration), () => Set(scene.Offline, LineFault.None), untilPulled: true);

        effect.ShouldOnlyHaveFailed(s_underWay).ShouldHavePulledMeanwhile().ShouldNotHaveSlowedDown();
    }

    [Fact]
    public async Task An_expired_certificate_is_passed_over()
    {
        using var authority = new FakeAuthority();
        using var directory = new TempDirectory();
        var file = directory.File("ca.crt");
        await File.WriteAllTextAsync(file, authority.Pem, TestContext.Current.CancellationToken);
        using var valid = Issue(authority, DateTimeOffset.UtcNow.AddDays(1));
        using var expired = Issue(authority, DateTimeOffset.UtcNow.AddDays(-1));
        await using var secure = node.OpenLine(valid, file);
        var registry = $$"""- { address: "{{secure.Address}}", priority: 2000, tls: { ca: "{{file}}" } }""";
        await using var scene = await Scene.Set(node, "a registry's certificate expired", new() { Registry = registry });

        var effect = await scene.Suffer(() => Show(expired), TimeSpan.FromSeconds(4), () => Show(valid), untilPulled: true);

        effect.ShouldOnlyHaveFailed(s_underWay).ShouldHavePulledMeanwhile().ShouldNotHaveSlowedDown();

        Task Show(X509Certificate2 certificate)
        {
            secure.Certificate = certificate;
            return Set(secure, LineFault.None);
        }
    }

    [Fact]
    public async Task With_all_registries_hung_everything_else_is_as_fast_as_ever_and_a_pull_ends_with_a_clear_error()
    {
        await using var scene = await Scene.Set(node, "all registries hung", new() { Yaml = "offlineOnly: true", Timeout = TimeSpan.FromSeconds(5) });

        var effect = await scene.Suffer(() => Hang(LineFault.HungAfter(0)), TimeSpan.FromSeconds(12), () => Hang(LineFault.None));

        effect.ShouldOnlyHaveFailed((Workload.PullImage, GrpcStatus.Unknown), (Workload.PullImage, GrpcStatus.DeadlineExceeded)).ShouldNotHaveSlowedDown();
        var pulls = effect.Through.Failures.Where(call => call.Method == Workload.PullImage).ToArray();
        pulls.ShouldNotBeEmpty();
        pulls.ShouldAllBe(pull => pull.Text.Contains(scene.Offline.Host) || pull.Text.Contains(scene.Mirror.Host));
        pulls.ShouldContain(pull => pull.Text.StartsWith("RegistryUnavailable: "));

        async Task Hang(LineFault fault)
        {
            await Set(scene.Offline, fault);
            await Set(scene.Mirror, fault);
        }
    }

    [Fact]
    public async Task A_name_server_that_hangs_is_passed_over_and_costs_no_threads()
    {
        const string name = "registry.fault.test";
        using var names = new FakeNames("127.77.0.53");
        using var directory = new TempDirectory();
        var file = directory.File("resolv.conf");
        await File.WriteAllTextAsync(file, $"nameserver {names.Address}\n", TestContext.Current.CancellationToken);
        await using var line = node.OpenLine(name: name);
        await using var scene = await Scene.Set(node, "the name server hangs", new()
        {
            Registry = $$"""- { address: "http://{{name}}:{{line.Port}}", priority: 2000 }""",
            Within = $"exec unshare -m bash -c 'mount --bind {file} /etc/resolv.conf; exec \"$@\"' bash \"$@\"",
        });
        var threads = 0;

        var effect = await scene.Suffer(
            () => Hang(true),
            TimeSpan.FromSeconds(12),
            () =>
            {
                threads = Processes.Threads(scene.Shim.Pid);
                return Hang(false);
            }, untilPulled: true);

        names.Questions.ShouldBeGreaterThan(0);
        effect.ShouldOnlyHaveFailed(s_underWay).ShouldHavePulledMeanwhile().ShouldNotHaveSlowedDown();
        threads.ShouldBeLessThan(60); // each connection has two; a look-up that hangs has one

        Task Hang(bool hangs)
        {
            names.Hangs = hangs;
            line.Fault = hangs ? LineFault.Refused : LineFault.None; // connections that stand need no name
            return Task.CompletedTask;
        }
    }

    private static X509Certificate2 Issue(FakeAuthority authority, DateTimeOffset until)
    {
        using var certificate = authority.Issue(["localhost", "127.0.0.1"], until);
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null); // with a key that servers can use
    }

    private static Task Set(RegistryLine line, LineFault fault)
    {
        line.Fault = fault;
        return Task.CompletedTask;
    }
}
