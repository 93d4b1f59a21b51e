using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>What <c>kubectl describe pod</c> shows of a pull that failed everywhere.</summary>
public sealed class PullFailureTests
{
    private static readonly Candidate s_first = new(null, "a.local/library/nginx:1.25", null, IsAsGiven: false, "http://a.local");
    private static readonly Candidate s_second = new(null, "b.local/library/nginx:1.25", null, IsAsGiven: false, "http://b.local");
    private static readonly Candidate s_given = new(null, "nginx:1.25", null, IsAsGiven: true, "https://registry-1.docker.io");

    [Fact]
    public void Every_registry_is_told_with_its_reason_and_then_every_pull() => Failure(
        DecisionKind.Found,
        [new(s_first, new ProbeResult.Denied("HTTP 401")), new(s_second, new ProbeResult.Found(null, ""))],
        [Attempt(s_second, StatusCode.Unknown, "unexpected EOF"), Attempt(s_given, StatusCode.NotFound, "not found")]).ShouldBe((
        StatusCode.Unknown,
        "image nginx:1.25 could not be pulled: a.local/library/nginx:1.25 denied (HTTP 401); b.local/library/nginx:1.25: unexpected EOF; nginx:1.25 (as given): not found"));

    [Fact]
    public void Missing_and_not_waited_for_are_told_in_words() => Failure(
        DecisionKind.AsGiven,
        [new(s_first, new ProbeResult.Missing()), new(s_second, null)],
        [Attempt(s_given, StatusCode.NotFound, "not found")]).ShouldBe((
        StatusCode.NotFound,
        "image nginx:1.25 could not be pulled: a.local/library/nginx:1.25 is not there; b.local/library/nginx:1.25 was not asked for; nginx:1.25 (as given): not found"));

    [Fact]
    public void For_lack_of_registries_the_text_begins_as_kubelet_expects() => Failure(
        DecisionKind.Nowhere, [new(s_first, new ProbeResult.Unreachable("connection refused"))], []).ShouldBe((
        StatusCode.Unknown,
        "RegistryUnavailable: image nginx:1.25 could not be pulled: a.local/library/nginx:1.25 unreachable (connection refused)"));

    [Fact]
    public void Nowhere_without_a_try_is_not_found() => Failure(
        DecisionKind.Nowhere, [new(s_first, new ProbeResult.Missing("only an attestation"))], []).ShouldBe((
        StatusCode.NotFound, "image nginx:1.25 could not be pulled: a.local/library/nginx:1.25 missing (only an attestation)"));

    [Theory]
    [InlineData(14, 5, 5)] // UNAVAILABLE, NOT_FOUND: a registry was called
    [InlineData(5, 2, 2)] // NOT_FOUND, UNKNOWN: one refused or was cut off
    [InlineData(2, 8, 8)] // UNKNOWN, RESOURCE_EXHAUSTED: one had the manifest
    [InlineData(8, 14, 8)]
    public void The_error_that_came_furthest_gives_the_code(int first, int second, int code) => ((int)Failure(
        DecisionKind.Found, [], [Attempt(s_first, (StatusCode)first, "a"), Attempt(s_given, (StatusCode)second, "b")]).Code).ShouldBe(code);

    private static (StatusCode Code, string Message) Failure(DecisionKind kind, ProbeReport[] probes, PullAttempt[] attempts)
    {
        var status = PullFailure.Describe(new Decision("nginx:1.25", kind, [], probes, "", FromCache: false), attempts);
        return (status.Code, status.Message);
    }

    private static PullAttempt Attempt(Candidate candidate, StatusCode code, string message) =>
        new(candidate, new RuntimeReply(new GrpcStatus(code, message), default, [], []));
}
