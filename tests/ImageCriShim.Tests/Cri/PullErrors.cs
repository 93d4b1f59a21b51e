using System.Runtime.CompilerServices;
using ImageCriShim.Cri;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// What <c>kubectl describe pod</c> shows of a pull that failed: exactly what <c>golden-pull-errors/TEST.txt</c> says. To add a case: write
/// a test, run it, and put what the failure shows into its file if that is what somebody who is woken by it should read.
/// </summary>
public sealed class PullErrors : PullTest
{
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "Cri", "golden-pull-errors");

    public PullErrors() => Prepare();

    [Fact]
    public async Task Missing_everywhere()
    {
        await Start();
        await ShouldTell(Image());
    }

    [Fact]
    public async Task Denied_here_and_missing_there()
    {
        First.Account = ("admin", Secrets.OfPrivate);
        await Start([At(First.Address, $"admin:{Secrets.Wrong}"), At(Second.Address)]);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task Throttled_for_a_while()
    {
        First.Behave = _ => new FakeAnswer(429) { Headers = { ["Retry-After"] = "30" } };
        await Start();
        await ShouldTell(Image());
    }

    [Fact]
    public async Task One_is_unreachable_and_one_does_not_have_it()
    {
        OriginIsUnreachable(Image());
        await Start([At($"http://{Down}"), At(Second.Address)]);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task One_is_set_aside()
    {
        Expect("pull of ");
        Expect("not pulled ");
        OriginIsUnreachable(Image());
        await Start([At($"http://{Down}"), At(Second.Address)]);
        (await Pull(Image())).Status.ShouldNotBe(0);
        Time.Advance(TimeSpan.FromSeconds(0.9)); // its first second is not over: nobody asks again
        await ShouldTell(Image());
    }

    [Fact]
    public async Task All_are_unreachable()
    {
        OriginIsUnreachable(Image());
        Second.Behave = _ => new FakeAnswer(503);
        await Start([At($"http://{Down}"), At(Second.Address)]);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task The_runtime_fails_on_the_first_and_on_the_second()
    {
        First.Add("team/app", "1.0");
        Second.Add("team/app", "1.0");
        var (first, second) = (Image(First.Host), Image(Second.Host));
        Runtime.Images.FailPulls[first] = (2, $"failed to pull and unpack image \"{first}\": failed to copy: httpReadSeeker: failed open: unexpected status code http://{First.Host}/v2/team/app/blobs/sha256:{new string('b', 64)}: 403 Forbidden");
        Runtime.Images.FailPulls[second] = (2, $"failed to pull and unpack image \"{second}\": failed to extract layer sha256:{new string('c', 64)}: write /var/lib/containerd/tmpmounts/1/bin/app: no space left on device");
        await Start();
        await ShouldTell(Image());
    }

    [Fact]
    public async Task A_digest_that_is_nowhere()
    {
        First.Add("team/app", "1.0");
        await Start();
        await ShouldTell(Image(tail: $":1.0@sha256:{new string('a', 64)}"));
    }

    [Fact]
    public async Task A_digest_that_is_nowhere_and_its_tag_neither()
    {
        await Start(adjust: settings => settings with { DigestFallback = true });
        await ShouldTell(Image(tail: $":1.0@sha256:{new string('a', 64)}"));
    }

    [Fact]
    public async Task Nowhere_with_offlineOnly()
    {
        await Start(adjust: settings => settings with { OfflineOnly = true });
        await ShouldTell(Image());
    }

    [Fact]
    public async Task Blocked()
    {
        await Start(adjust: settings => settings with { Block = [ResolveCase.Pattern($"{OriginDown}/team")] });
        await ShouldTell(Image());
    }

    [Fact]
    public async Task Excluded_is_the_runtimes_own_error()
    {
        await Start(adjust: settings => settings with { Exclude = [ResolveCase.Pattern($"{OriginDown}/team")] });
        await ShouldTell(Image());
    }

    [Fact]
    public async Task A_password_that_cannot_be_read()
    {
        First.Account = ("admin", Secrets.OfPrivate);
        await Start([At(First.Address) with { Credentials = new BrokenCredential() }, At(Second.Address)]);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task A_password_that_cannot_be_read_at_the_host_that_is_named()
    {
        var image = Image(First.Host);
        First.Add("team/app", "1.0");
        Runtime.Images.FailPulls[image] = (2, $"failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials");
        await Start([At(First.Address) with { Credentials = new BrokenCredential() }]);
        await ShouldTell(image);
    }

    [Fact]
    public async Task An_index_for_another_platform()
    {
        const string Json = """{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":2,"platform":{"os":"linux","architecture":"s390x"}}]}""";
        First.Add("team/app", "1.0", Json, FakeRegistry.OciIndex);
        Runtime.Images.FailPulls[Image(First.Host)] = (5, $"failed to pull and unpack image \"{Image(First.Host)}\": no match for platform in manifest: not found");
        await Start([At(First.Address)]);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task A_pods_secret_paid_for_the_image_on_the_node()
    {
        await StartWithImageOnNode(PulledWith.Callers);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task Nobody_knows_who_paid_for_the_image_on_the_node()
    {
        await StartWithImageOnNode(null);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task The_image_on_the_node_is_not_to_be_used()
    {
        await StartWithImageOnNode(PulledWith.NodesOwn, serveLocal: false);
        await ShouldTell(Image());
    }

    [Fact]
    public async Task The_image_on_the_node_is_not_used_while_the_origin_answers()
    {
        var image = Image(Second.Host);
        await Start([At($"http://{Down}") with { Priority = 900 }]);
        Record.Add(new RecordedPull(image, Image(Down), Down, Runtime.Images.Add(Image(Down)).Id, Time.GetUtcNow(), PulledWith.NodesOwn));
        await ShouldTell(image);
    }

    [Fact]
    public async Task A_pods_secret_that_the_origin_refuses()
    {
        Runtime.Images.FailPulls[Image()] = (2, $"failed to pull and unpack image \"{Image()}\": failed to resolve reference \"{Image()}\": unexpected status from HEAD request to https://{OriginDown}/v2/team/app/manifests/1.0: 401 Unauthorized");
        await Start();
        await ShouldTell(Image(), Secrets.OfPod);
    }

    [Fact]
    public void Every_file_has_its_test() => Directory.GetFiles(s_folder).Select(file => Path.GetFileNameWithoutExtension(file))
        .ShouldAllBe(name => typeof(PullErrors).GetMethod(name) != null);

    private async Task StartWithImageOnNode(PulledWith? with, bool serveLocal = true)
    {
        OriginIsUnreachable(Image());
        await Start([At($"http://{Down}")], settings => settings with { ServeLocal = serveLocal });
        var image = Runtime.Images.Add(Image(Down));
        if (with is { } credential)
            Record.Add(new RecordedPull(Image(), Image(Down), Down, image.Id, Time.GetUtcNow(), credential));
    }

    private void OriginIsUnreachable(string image) => Runtime.Images.FailPulls[image] =
        (2, $"failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": failed to do request: Head \"https://{OriginDown}/v2/team/app/manifests/1.0\": dial tcp: lookup {OriginDown}: no such host");

    private async Task ShouldTell(string image, string? secret = null, [CallerMemberName] string test = "")
    {
        Expect("pull of "); // each try, and
        Expect("not pulled "); // the whole story
        var answer = await Pull(image, secret);

        answer.Status.ShouldNotBe(0);
        var shown = Plain(Shown(image, (StatusCode)answer.Status, answer.Message)) + "\n";
        var file = Path.Combine(s_folder, test + ".txt");
        var isExpected = File.Exists(file) && File.ReadAllText(file) == shown;
        isExpected.ShouldBeTrue($"{file} should hold, if this is right:\n{shown}");
        shown.Length.ShouldBeLessThan(1024, "events are cut");
        Secrets.ShouldNotBeIn(shown);
        Log.Lines.ToList().ForEach(Secrets.ShouldNotBeIn);
    }

    /// <summary>The event of kubelet: it writes the code, but for UNKNOWN.</summary>
    private static string Shown(string image, StatusCode code, string message) =>
        $"Failed to pull image \"{image}\": {(code is StatusCode.Unknown ? "" : $"rpc error: code = {code} desc = ")}{message}";

    private sealed class BrokenCredential : CredentialSource
    {
        public override ValueTask<CredentialAnswer> Find(Reference image, CancellationToken cancellation) =>
            ValueTask.FromResult(new CredentialAnswer(null, "passwordFile", "passwordFile /etc/hub.password is not there"));

        public override string ToString() => "passwordFile /etc/hub.password";
    }
}
