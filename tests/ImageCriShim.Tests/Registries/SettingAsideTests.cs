using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries;

public sealed class SettingAsideTests
{
    private const int AskedOnce = 2; // for the image, and whether it is well (SecondOpinion)

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_registry_that_could_not_be_reached_is_not_asked_again_but_answered_for_at_once()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);

        var first = (await it.Ask()).ShouldBeOfType<ProbeResult.Unreachable>();
        it.Time.Advance(Second - Moment);
        var next = (await it.Ask()).ShouldBeOfType<ProbeResult.Unreachable>();

        (first.IsSetAside, first.ToString()).ShouldBe((false, "unreachable (HTTP 503)"));
        (next.IsSetAside, next.ToString()).ShouldBe((true, "unreachable (HTTP 503; set aside 1 s ago)"));
        it.Fake.Requests.Count.ShouldBe(AskedOnce);
    }

    [Fact]
    public async Task It_is_asked_in_the_background_after_1_second_then_2_then_4_and_so_on_to_60()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(599);
        await it.Ask();
        var status = 502;

        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60, 60 })
        {
            var before = it.Fake.Requests.Count;
            it.Time.Advance(TimeSpan.FromSeconds(seconds) - Moment);
            it.Fake.Requests.Count.ShouldBe(before);
            await it.FailInBackground(after: Moment, ++status);
            it.Fake.Requests.Count.ShouldBe(before + 1);
        }
    }

    [Fact]
    public async Task One_that_a_reload_removes_is_not_asked_in_the_background_any_more_and_one_that_it_keeps_is()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();

        it.Outages.Keep([it.Registry]);
        await it.FailInBackground(after: Second, 502);
        var before = it.Fake.Requests.Count;
        it.Outages.Keep([OutageCase.Configured("http://127.0.0.1:1")]);

        it.Outages.All.ShouldBeEmpty();
        it.Time.Advance(TimeSpan.FromHours(1));
        await it.Ask(); // by a pull that began before the reload
        it.Fake.Requests.Count.ShouldBe(before + AskedOnce);
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_background_asks_once_at_a_time_however_long_that_takes()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        it.Fake.Behave = _ => FakeAnswer.Hang;

        it.Time.Advance(Second);
        await Wait.Until(() => it.Fake.Requests.Count == AskedOnce + 1);
        it.Time.Advance(ProbeCase.Patience - Moment);

        it.Fake.Requests.Count.ShouldBe(AskedOnce + 1);
    }

    [Fact]
    public async Task A_real_answer_in_the_background_brings_it_back_and_both_are_told_once()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        await it.Ask();
        await it.FailInBackground(Second, 502);
        it.Fake.Behave = _ => null;

        it.Time.Advance(2 * Second);
        await Wait.Until(() => it.Outages.All.Count == 0);

        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
        await Wait.Until(() => it.Log.Lines.Count() == 2);
        it.Log.Lines.Select(line => line.TrimEnd()).ShouldBe([
            $"1300 registry {it.Fake.Address} is set aside: HTTP 503; nobody waits for it until it answers again",
            $"1301 registry {it.Fake.Address} is back after 3 s (found)"]);
        it.Log.Complaints.Count().ShouldBe(1);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(412)]
    [InlineData(429)]
    [InlineData(451)]
    public async Task Any_answer_of_a_registry_is_a_real_one(int status)
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        it.Fake.Behave = _ => new FakeAnswer(status);

        it.Time.Advance(Second);

        await Wait.Until(() => it.Outages.All.Count == 0);
        (await it.Ask()).ShouldNotBeOfType<ProbeResult.Unreachable>();
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task After_its_return_the_intervals_begin_anew()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        await it.FailInBackground(Second, 502);
        it.Fake.Behave = _ => null;
        it.Time.Advance(2 * Second);
        await Wait.Until(() => it.Outages.All.Count == 0);

        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();

        await it.FailInBackground(Second, 504);
    }

    [Fact]
    public async Task Whoever_gets_a_real_answer_brings_it_back()
    {
        await using var it = new OutageCase();
        var answer = new TaskCompletionSource();
        it.Fake.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest) with { When = answer.Task };
        var slow = it.Ask();
        await it.Fake.NextRequest();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        it.Outages.All.Count.ShouldBe(1);

        answer.SetResult();

        (await slow).ShouldBeOfType<ProbeResult.Found>();
        it.Outages.All.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("")]
    public async Task What_is_no_answer_of_a_registry_sets_aside(string raw)
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => FakeAnswer.RawText(raw);

        await it.Ask();

        it.Outages.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task So_do_silence_a_closed_port_and_plain_http_where_tls_is_expected()
    {
        await using var it = new OutageCase();
        using var closed = new ClosedPort();
        it.Fake.Behave = _ => FakeAnswer.Hang;
        var hung = it.Ask();
        await it.Fake.NextRequest();
        it.Time.Advance(ProbeCase.Patience);
        await hung;
        await Wait.Until(() => it.Fake.Requests.Count == AskedOnce);
        it.Time.Advance(2 * Second); // nobody waits for what it says then
        await Wait.Until(() => it.Outages.All.Count == 1);

        await it.Ask(OutageCase.Configured($"http://127.0.0.1:{closed.Number}"));
        await using var plain = FakeRegistry.Start();
        await it.Ask(OutageCase.Configured($"https://{plain.Host}"));

        it.Outages.All.Select(view => view.Reason).ShouldBe(
            ["no answer within 5 s", "connection refused", "the TLS handshake failed: it speaks plain http"]);
    }

    [Fact]
    public async Task What_is_odd_about_one_image_does_not_set_its_registry_aside()
    {
        await using var it = new OutageCase();
        foreach (var odd in new[]
        {
            FakeAnswer.Manifest(FakeRegistry.OciIndex, """{"manifests":[]}"""),
            FakeAnswer.Manifest("text/plain", """{"mediaType":"application/vnd.oci.artifact.manifest.v1+json"}"""),
            FakeAnswer.Manifest("text/plain", new string(' ', 5 * 1024 * 1024)),
            FakeAnswer.Manifest("application/vnd.docker.distribution.manifest.v1+json"),
        })
        {
            it.Fake.Behave = _ => odd;
            (await it.Ask()).ShouldBeOfType<ProbeResult.Missing>();
        }

        it.Fake.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        (await it.Ask(image: $"library/nginx@sha256:{new string('a', 64)}")).ShouldBeOfType<ProbeResult.Missing>();
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_question_that_its_caller_gave_up_says_nothing()
    {
        await using var it = new OutageCase();
        using var leaving = new CancellationTokenSource();
        it.Fake.Behave = _ => FakeAnswer.Hang;
        var asked = it.Ask(cancellation: leaving.Token);
        await it.Fake.NextRequest();

        leaving.Cancel();

        await Should.ThrowAsync<OperationCanceledException>(() => asked);
        it.Outages.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_background_asks_for_what_was_wanted_last()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(500);
        await it.Ask(image: "library/poison:1");
        (await it.Ask()).ShouldBeOfType<ProbeResult.Unreachable>();
        it.Fake.Behave = r => r.Path.Contains("poison") ? new FakeAnswer(500) : null; // it is back, for all but one

        it.Time.Advance(Second);

        await Wait.Until(() => it.Outages.All.Count == 0);
        (await it.Ask()).ShouldBeOfType<ProbeResult.Found>();
    }

    [Fact]
    public async Task An_address_and_its_tls_make_a_registry_not_its_path_or_its_entry()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();

        (await it.Ask(OutageCase.Configured($"{it.Fake.Address}/project") with { Priority = 7 })).ShouldBeOfType<ProbeResult.Unreachable>().IsSetAside.ShouldBeTrue();
        (await it.Ask(it.Registry with { Tls = new TlsSettings { InsecureSkipVerify = true } })).ShouldBeOfType<ProbeResult.Unreachable>().IsSetAside.ShouldBeFalse();
    }

    [Fact]
    public async Task Who_is_set_aside_since_when_and_why_can_be_seen()
    {
        await using var it = new OutageCase();
        it.Time.Advance(Second);
        var since = it.Time.GetUtcNow();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        await it.FailInBackground(Second, 502);

        it.Outages.All.ShouldHaveSingleItem().ShouldBe(new SetAsideRegistry(it.Registry, since, "HTTP 502"));
    }

    [Fact]
    public async Task They_are_seen_in_their_order_whatever_the_clock_does()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();
        it.Time.Advance(TimeSpan.FromMilliseconds(1));
        it.Time.JumpClock(TimeSpan.FromHours(-1));
        await using var second = FakeRegistry.Start();
        second.Behave = _ => new FakeAnswer(502);
        await it.Ask(OutageCase.Configured(second.Address));

        it.Outages.All.Select(view => view.Reason).ShouldBe(["HTTP 503", "HTTP 502"]);
    }

    [Fact]
    public async Task Once_disposed_of_nobody_is_asked_any_more()
    {
        await using var it = new OutageCase();
        it.Fake.Behave = _ => new FakeAnswer(503);
        await it.Ask();

        it.Outages.Dispose();
        it.Time.Advance(TimeSpan.FromHours(1));

        it.Fake.Requests.Count.ShouldBe(AskedOnce);
        it.Outages.All.ShouldBeEmpty();
    }
}
