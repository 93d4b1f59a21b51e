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

    /// <summary>What docker 26 says through cri-dockerd, with either image store.</summary>
    [Theory]
    [InlineData("Error response from daemon: manifest for h:5000/x/y:1 not found: manifest unknown: manifest unknown", "manifest unknown: manifest unknown")]
    [InlineData("Error response from daemon: Head \"http://h:5000/v2/x/manifests/1\": no basic auth credentials", "Head \"http://h:5000/v2/x/manifests/1\": no basic auth credentials")]
    [InlineData("Error response from daemon: Get \"https://h:5000/v2/\": http: server gave HTTP response to HTTPS client", "Get \"https://h:5000/v2/\": http: server gave HTTP response to HTTPS client")]
    [InlineData("Error response from daemon: failed to resolve reference \"h:5000/x/y:1\": h:5000/x/y:1: not found", "not found")]
    [InlineData("error pulling image configuration: download failed after attempts=6: EOF", "error pulling image configuration: download failed after attempts=6: EOF")]
    [InlineData("RegistryUnavailable: Error response from daemon: received unexpected HTTP status: 502 Bad Gateway", "RegistryUnavailable: received unexpected HTTP status: 502 Bad Gateway")]
    public void So_is_what_docker_does(string text, string shown) => Shorten.RuntimeText(text).ShouldBe(shown);

    /// <summary>What CRI-O 1.30 and later say, and older ones.</summary>
    [Theory]
    [InlineData(
        "unable to pull image or OCI artifact: pull image err: initializing source docker://h:5000/x/y:1: reading manifest 1 in h:5000/x/y: manifest unknown; artifact err: get manifest: build image source: reading manifest 1 in h:5000/x/y: manifest unknown",
        "manifest unknown")]
    [InlineData(
        "RegistryUnavailable: unable to pull image or OCI artifact: pull image err: initializing source docker://h:5000/x/y:1: pinging container registry h:5000: Get \"https://h:5000/v2/\": dial tcp 10.0.0.1:5000: connect: connection refused; artifact err: get manifest: build image source: pinging container registry h:5000: Get \"https://h:5000/v2/\": dial tcp 10.0.0.1:5000: connect: connection refused",
        "RegistryUnavailable: Get \"https://h:5000/v2/\": dial tcp 10.0.0.1:5000: connect: connection refused")]
    [InlineData(
        "SignatureValidationFailed: unable to pull image or OCI artifact: pull image err: copying system image from manifest list: Source image rejected: Running image docker://h:5000/x/y:1 is rejected by policy.; artifact err: image reference: reference is a container image, not an OCI artifact",
        "SignatureValidationFailed: Source image rejected: Running image docker://h:5000/x/y:1 is rejected by policy.")]
    [InlineData(
        "unable to pull image or OCI artifact: pull image err: copying system image from manifest list: parsing image configuration: unsupported image-specific operation on artifact with type \"a/b\"; artifact err: get manifest: build image source: reading manifest 1 in h:5000/x/y: manifest unknown",
        "manifest unknown")]
    [InlineData("copying system image from manifest list: writing blob: storing blob to file \"/var/tmp/1\": happened during read: unexpected EOF", "writing blob: storing blob to file \"/var/tmp/1\": happened during read: unexpected EOF")]
    [InlineData("copying system image from manifest list: determining manifest MIME type for docker://h/x:1: reading manifest sha256:4cf5 in h/x: received unexpected HTTP status: 502 Bad Gateway", "received unexpected HTTP status: 502 Bad Gateway")]
    [InlineData("Error initializing source docker://h:5000/x/y:1: Error reading manifest 1 in h:5000/x/y: manifest unknown: manifest unknown", "manifest unknown: manifest unknown")]
    [InlineData("Error initializing source docker://h/x:1: error pinging docker registry h: Get https://h/v2/: EOF", "Get https://h/v2/: EOF")]
    [InlineData("initializing source docker://h/x:1: ", "initializing source docker://h/x:1: ")]
    public void So_is_what_CRI_O_does(string text, string shown) => Shorten.RuntimeText(text).ShouldBe(shown);

    [Fact]
    public void Digests_in_a_cause_are_shown_by_their_beginning()
    {
        var (one, other) = ($"sha256:{new string('a', 64)}", $"sha256:{new string('b', 64)}");
        Shorten.RuntimeText($"Error response from daemon: layer {one} is not {other}, nor sha256:cc").ShouldBe("layer sha256:aaaaaaaaaaaa... is not sha256:bbbbbbbbbbbb..., nor sha256:cc");
        Shorten.RuntimeText($"sha256:{new string('g', 64)}").ShouldBe($"sha256:{new string('g', 64)}");
    }

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
