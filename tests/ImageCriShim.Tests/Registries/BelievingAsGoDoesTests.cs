using System.Text.Json;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A certificate that the runtime believes is believed, and no other: it is the runtime that pulls.</summary>
public sealed class BelievingAsGoDoesTests
{
    public static TheoryData<string> Cases => [.. CertificateCase.All.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_Go_believes_is_believed(string name)
    {
        var it = CertificateCase.All[name];

        var fault = new ServerCertificate(new TlsSettings { Ca = it.Ca }).FindFault(it.Shown, [.. it.Sent], it.Host);

        (fault is null).ShouldBe(it.IsBelieved, fault);
        (fault ?? "").ShouldNotContain("is not valid"); // what is not known is no reason
    }

    [Theory]
    [InlineData("for clients", "its TLS certificate is not for servers (extended key usage)")]
    [InlineData("signed with SHA-1", "its TLS certificate is signed with SHA-1 or older, which no runtime takes any more")]
    [InlineData("expired and trusted itself", "its TLS certificate is out of date, or this node's clock is wrong")]
    [InlineData("the intermediate is missing", "its TLS certificate is signed by an unknown authority (tls.ca names one)")]
    [InlineData("another name", "its TLS certificate is for other.internal")]
    [InlineData("no name at all", "its TLS certificate is for no host name")]
    [InlineData("its name as CN only", "its TLS certificate has its name only as CN=reg.internal, which no runtime reads any more; it needs the subject alternative name DNS:reg.internal")]
    public void Why_not_is_said(string name, string why)
    {
        var it = CertificateCase.All[name];

        new ServerCertificate(new TlsSettings { Ca = it.Ca }).FindFault(it.Shown, [.. it.Sent], it.Host).ShouldBe(why);
    }

    [Theory]
    [InlineData("an intermediate alone is trusted")]
    [InlineData("the server's own certificate is trusted")]
    [InlineData("for anything")]
    [InlineData("*.internal for reg.internal")]
    [InlineData("behind a block that cannot be read")]
    [InlineData("its name as CN only")]
    [InlineData("for clients")]
    public async Task A_registry_that_shows_it_is_asked_or_not(string name)
    {
        var it = CertificateCase.All[name];
        await using var registry = FakeRegistry.StartWithTls(it.Shown);
        registry.Add("library/nginx", "1.25");
        using var probe = new ProbeCase(lookUp: (_, _) => Task.FromResult<System.Net.IPAddress[]>([System.Net.IPAddress.Loopback]));

        var result = await probe.Ask($"https://{it.Host}:{registry.Port}", tls: new TlsSettings { Ca = it.Ca });

        (result is ProbeResult.Found).ShouldBe(it.IsBelieved, $"{result}");
        registry.Requests.Count.ShouldBe(it.IsBelieved ? 1 : 0);
    }

    [Fact]
    [Trait("suite", "node")]
    public async Task Go_itself_believes_what_these_cases_say()
    {
        using var process = await Peer.StartCertificatesAsync();
        foreach (var it in CertificateCase.All.Values)
        {
            var shown = new { it.Ca, Chain = it.Sent.Prepend(it.Shown).Select(one => one.RawData), it.Host };
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(shown));
        }
        process.StandardInput.Close();
        var verdicts = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        verdicts.Length.ShouldBe(CertificateCase.All.Count, await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        var wrong = CertificateCase.All.Zip(verdicts).Where(pair => (pair.Second == "believed") != pair.First.Value.IsBelieved);
        wrong.Select(pair => $"{pair.First.Key}: {pair.Second}").ShouldBeEmpty();
    }
}
