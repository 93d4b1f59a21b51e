using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>The rules behind <see cref="PullErrors"/>, which shows whole errors.</summary>
public sealed class PullFailureTests
{
    private static readonly Candidate s_first = At("a.local");
    private static readonly Candidate s_second = At("b.local");
    private static readonly Candidate s_given = new(null, "nginx:1.25", null, IsAsGiven: true, "https://registry-1.docker.io");

    [Fact]
    public void Missing_and_not_waited_for_are_told_in_words() => Failure(
        DecisionKind.AsGiven,
        [new(s_first, new ProbeResult.Missing()), new(s_second, null)],
        [Attempt(s_given, StatusCode.NotFound, "not found")]).Message.ShouldBe(
        "image nginx:1.25 could not be pulled: a.local/library/nginx:1.25 is not there; b.local/library/nginx:1.25 was not asked for; nginx:1.25 (as given): not found");

    [Fact]
    public void Nowhere_without_a_try_is_not_found() => Failure(
        DecisionKind.Nowhere, [new(s_first, new ProbeResult.Missing("only an attestation"))], []).Code.ShouldBe(StatusCode.NotFound);

    [Theory]
    [InlineData(14, 5, 5)] // UNAVAILABLE, NOT_FOUND: a registry was called
    [InlineData(5, 2, 2)] // NOT_FOUND, UNKNOWN: one refused or was cut off
    [InlineData(2, 8, 8)] // UNKNOWN, RESOURCE_EXHAUSTED: one had the manifest
    [InlineData(8, 14, 8)]
    public void The_error_that_came_furthest_gives_the_code(int first, int second, int code) => ((int)Failure(
        DecisionKind.Found, [], [Attempt(s_first, (StatusCode)first, "a"), Attempt(s_given, (StatusCode)second, "b")]).Code).ShouldBe(code);

    [Theory]
    [InlineData("SignatureValidationFailed: source image rejected", 2, "not found", 5, "SignatureValidationFailed: ")]
    [InlineData("not found", 5, "SignatureValidationFailed: source image rejected", 2, "SignatureValidationFailed: ")]
    [InlineData("disk is full", 8, "SignatureValidationFailed: source image rejected", 2, "SignatureValidationFailed: ")]
    [InlineData("SignatureValidationFailed: source image rejected", 13, "RegistryUnavailable: 503", 2, "SignatureValidationFailed: ")]
    [InlineData("RegistryUnavailable: 503", 2, "not found", 5, "RegistryUnavailable: ")]
    [InlineData("not found", 5, "RegistryUnavailable: 503", 2, "RegistryUnavailable: ")]
    [InlineData("401 Unauthorized", 2, "RegistryUnavailable: 503", 2, "")] // the host that the image names is out of reach on most nodes
    [InlineData("disk is full", 8, "RegistryUnavailable: 503", 2, "")]
    [InlineData("not found", 5, "it says SignatureValidationFailed: x", 2, "")]
    public void What_kubelet_looks_for_stays_in_front(string first, int firstCode, string second, int secondCode, string reason)
    {
        var failure = Failure(DecisionKind.Found, [], [Attempt(s_first, (StatusCode)firstCode, first), Attempt(s_given, (StatusCode)secondCode, second)]);
        failure.Message.ShouldStartWith($"{reason}image nginx:1.25 could not be pulled: a.local/library/nginx:1.25: ");
        failure.Message.ShouldContain("; nginx:1.25 (as given): ");
        ((int)failure.Code).ShouldBe(reason.Length > 0 ? 2 : firstCode is 5 ? secondCode : firstCode);
    }

    [Fact]
    public void A_refused_signature_comes_before_registries_that_are_down() => Failure(
        DecisionKind.AsGiven,
        [new(s_first, new ProbeResult.Unreachable("connection refused"))],
        [Attempt(s_given, StatusCode.Unknown, "SignatureValidationFailed: no")]).Message.ShouldStartWith("SignatureValidationFailed: image ");

    [Theory]
    [InlineData("failed to pull and unpack image \"x\": failed to resolve reference \"x\": x: not found", "x: not found")] // no name of an image
    [InlineData("failed to resolve reference \"a/x:1\": a/x:1: not found", "not found")]
    [InlineData("http: server gave HTTP response to HTTPS client", "http: server gave HTTP response to HTTPS client")]
    [InlineData("failed to pull and unpack image \"x\": failed to copy: EOF", "failed to copy: EOF")]
    [InlineData("failed to pull image \"x\": ", "failed to pull image \"x\": ")]
    [InlineData("failed to pull image \"x", "failed to pull image \"x")]
    [InlineData("", "")]
    public void What_runtimes_wrap_a_cause_in_is_left_out(string text, string shown) => Shorten.RuntimeText(text).ShouldBe(shown);

    [Fact]
    public void Of_a_long_cause_the_end_is_shown()
    {
        var shown = Shorten.RuntimeText(new string('x', 1000) + " no such host");
        shown.ShouldStartWith("...x");
        shown.ShouldEndWith(" no such host");
        shown.Length.ShouldBe(280);
    }

    [Fact]
    public void An_error_fits_into_an_event_with_what_can_be_mended_first()
    {
        var missing = Enumerable.Range(0, 20).Select(i => new ProbeReport(At($"registry-{i}.local"), new ProbeResult.Missing())).ToList();
        missing.Insert(10, new(s_first, new ProbeResult.Denied("HTTP 401 for user admin")));

        var message = Failure(DecisionKind.AsGiven, missing, [Attempt(s_given, StatusCode.NotFound, new string('x', 1000))]).Message;

        message.Length.ShouldBeLessThan(1024 - 250);
        message.ShouldContain("a.local/library/nginx:1.25 denied (HTTP 401 for user admin)");
        message.ShouldEndWith("not there at 20 registries");
    }

    [Fact]
    public void An_error_of_many_complaints_is_cut_and_says_so()
    {
        var denied = Enumerable.Range(0, 50).Select(i => new ProbeReport(At($"registry-{i}.local"), new ProbeResult.Denied("HTTP 401")));
        var message = Failure(DecisionKind.Nowhere, [.. denied], []).Message;
        message.Length.ShouldBe(1024 - 256);
        message.ShouldEndWith("...");
    }

    private static GrpcStatus Failure(DecisionKind kind, IReadOnlyList<ProbeReport> probes, PullAttempt[] attempts) => PullFailure.Describe(
        new PullOutcome(new Decision("nginx:1.25", kind, [], probes, "", FromCache: false), attempts, null), null);

    private static Candidate At(string host) => new(null, $"{host}/library/nginx:1.25", null, IsAsGiven: false, $"http://{host}");

    private static PullAttempt Attempt(Candidate candidate, StatusCode code, string message) =>
        new(candidate, PulledWith.Nothing, null, new RuntimeReply(new GrpcStatus(code, message), default, [], []));
}
