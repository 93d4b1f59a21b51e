using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

/// <summary>A registry that fails for one image and is well for others is not set aside, and one that fails for all is.</summary>
public sealed class TellingBrokenImages
{
    private const string Poison = "tenant/poison:1";
    private const string Other = "library/other:1";

    public static TheoryData<string> Failures { get; } =
    [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops",
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: ftp://elsewhere.test/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "", // it closes the connection
    ];

    [Theory, MemberData(nameof(Failures))]
    public async Task What_fails_for_one_image_is_not_believed_of_others(string failure)
    {
        await using var it = new OutageCase();
        it.Fake.Behave = request => request.Path.Contains("poison") ? FakeAnswer.RawText(failure) : null;

        foreach (var _ in new int[3])
        {
            (await it.Ask(image: Poison)).ShouldBeOfType<ProbeResult.Unreachable>().IsSetAside.ShouldBeFalse();
            (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
        }

        it.Outages.All.ShouldBeEmpty();
        it.Log.Lines.First().ShouldStartWith($"1302 registry {it.Fake.Address} fails for {it.Fake.Host}/{Poison} (");
    }

    [Theory]
    [InlineData(400)]
    [InlineData(406)]
    [InlineData(412)] // Harbor's policy on vulnerabilities
    [InlineData(418)]
    [InlineData(423)]
    [InlineData(451)]
    public async Task A_refusal_is_denied_and_the_next_image_is_asked_for_at_once(int status)
    {
        await using var it = new OutageCase();
        it.Fake.Behave = request => request.Path.Contains("poison") ? new FakeAnswer(status) : null;

        (await it.Ask(image: Poison)).ShouldBeOfType<ProbeResult.Denied>();

        it.Outages.All.ShouldBeEmpty();
        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
        it.Log.Lines.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Failures))]
    public async Task What_fails_for_every_image_is_believed_although_it_calls_itself_well(string failure)
    {
        await using var it = new OutageCase();
        await it.Ask();
        it.Fake.Behave = request => request.Path.Contains("/manifests/") ? FakeAnswer.RawText(failure) : null;

        await it.Ask(image: Other);

        it.Outages.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Silence_for_one_image_is_not_believed_of_others()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = request => request.Path.Contains("poison") ? FakeAnswer.Hang : null;
        var asked = it.Ask(image: Poison);
        await it.Fake.NextRequest();
        it.Time.Advance(ProbeCase.Patience);
        (await asked).ShouldBeOfType<ProbeResult.Unreachable>();

        await Wait.Until(() => it.Log.Lines.Any()); // that it is well
        it.Outages.All.ShouldBeEmpty();
        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
    }

    [Theory]
    [InlineData(400, 200)]
    [InlineData(1_000, 500)]
    [InlineData(3_000, 1_500)]
    [InlineData(4_000, 2_000)]
    [InlineData(5_000, 3_000)]
    [InlineData(60_000, 58_000)]
    public async Task One_that_is_silent_for_all_is_set_aside_when_the_time_of_the_question_is_over_however_short(int patience, int doubted)
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => FakeAnswer.Hang;
        var asked = it.Ask(patience: TimeSpan.FromMilliseconds(patience));
        await it.Fake.NextRequest();
        it.Time.Advance(TimeSpan.FromMilliseconds(doubted));
        (await it.Fake.NextRequest()).Path.ShouldBe("/v2/");
        it.Outages.All.ShouldBeEmpty();

        it.Time.Advance(TimeSpan.FromMilliseconds(patience - doubted));

        (await asked).ShouldBeOfType<ProbeResult.Unreachable>();
        await Wait.Until(() => it.Outages.All.Count == 1, "it is set aside");
    }

    [Fact]
    public async Task An_image_that_it_gave_and_that_breaks_is_compared_with_the_one_before()
    {
        await using var it = new OutageCase();
        it.Fake.Add("tenant/poison", "1");
        await it.Ask();
        await it.Ask(image: Poison);
        it.Fake.Behave = request => request.Path.Contains("poison") ? new FakeAnswer(500) : null;

        await it.Ask(image: Poison);
        it.Outages.All.ShouldBeEmpty();

        it.Fake.Behave = request => request.Path.Contains("/manifests/") ? new FakeAnswer(500) : null;
        await it.Ask(image: Poison);
        it.Outages.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_asks_meanwhile_waits_for_the_second_opinion()
    {
        await using var it = new OutageCase();
        await it.Ask();
        var opinion = new TaskCompletionSource();
        it.Fake.Behave = request => request.Path.Contains("poison")
            ? new FakeAnswer(500)
            : FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = opinion.Task };
        var first = it.Ask(image: Poison);
        await Wait.Until(() => it.Fake.Requests.Count == 3);

        var second = it.Ask(image: Other);
        opinion.SetResult();
        await first;
        await second;

        it.Fake.Requests.Count.ShouldBe(4);
        it.Outages.All.ShouldBeEmpty();
    }
}
