using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Registries;

/// <summary>Registries that a runtime knows as mirrors of its own: with another root of their API, told the origin, or for digests alone.</summary>
public sealed class MirrorsOfTheRuntime : IAsyncDisposable
{
    private const string Digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    private readonly TempDirectory _directory = new();
    private readonly FakeRegistry _registry = FakeRegistry.Start();
    private readonly ProbeCase _probe = new();

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        await _registry.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("apiRoot: /v2", "nginx:1", "/v2/library/nginx/manifests/1")]
    [InlineData("apiRoot: /artifactory/api/Docker/hub/v2", "nginx:1", "/artifactory/api/Docker/hub/v2/library/nginx/manifests/1")]
    [InlineData("apiRoot: /prefix/", "quay.io/a/b", "/prefix/a/b/manifests/latest")]
    [InlineData("apiRoot: /", "nginx:1", "/library/nginx/manifests/1")]
    [InlineData("ns: true", "nginx:1", "/v2/library/nginx/manifests/1?ns=docker.io")]
    [InlineData("ns: true", "myhost:5000/a/b:1", "/v2/a/b/manifests/1?ns=myhost%3A5000")]
    [InlineData("{apiRoot: /some/v2, ns: true, path: 'x/{repository}'}", "quay.io/a/b:1", "/some/v2/x/a/b/manifests/1?ns=quay.io")]
    [InlineData("ns: true", "{host}/a/b:1", "/v2/a/b/manifests/1")] // it is the origin itself
    [InlineData("{images: [quay.io/team, docker.io], path: 'mirrored/{rest}'}", "quay.io/team/a/b:1", "/v2/mirrored/a/b/manifests/1")]
    [InlineData("{images: [quay.io/team, docker.io], path: 'mirrored/{rest}'}", "nginx:1", "/v2/mirrored/library/nginx/manifests/1")]
    [InlineData("{images: [quay.io/team/app, quay.io/team], path: 'one/{rest}'}", "quay.io/team/app:1", "/v2/one/manifests/1")]
    public async Task The_manifest_is_asked_for_where_the_mirror_has_it(string settings, string image, string path)
    {
        var candidate = Candidates(settings, image.Replace("{host}", _registry.Host)).Single();

        await _probe.Client.Probe(candidate.Registry!, candidate.Name!, ProbeCase.Patience, TestContext.Current.CancellationToken);

        (await _registry.NextRequest()).Path.ShouldBe(path);
    }

    [Theory]
    [InlineData("", "nginx:1", true)]
    [InlineData("pullFromMirror: all", "nginx:1", true)]
    [InlineData("pullFromMirror: digest-only", "nginx:1", false)]
    [InlineData("pullFromMirror: digest-only", $"nginx:1@{Digest}", true)]
    [InlineData("pullFromMirror: tag-only", "nginx", true)]
    [InlineData("pullFromMirror: tag-only", $"nginx@{Digest}", false)]
    [InlineData("{images: [docker.io/nginx], path: '{rest}'}", "nginx:1", false)] // library/nginx has no rest behind nginx
    public void It_is_asked_for_the_names_that_it_is_for(string settings, string image, bool asked) =>
        Candidates(settings, image).Any().ShouldBe(asked);

    [Theory]
    [InlineData("nginx:1")]
    [InlineData($"docker.io/library/nginx@{Digest}")]
    public void The_runtime_pulls_the_name_as_given_from_a_mirror_that_is_told_the_origin(string image)
    {
        var candidate = Candidates("ns: true", image).Single();

        (candidate.Image, candidate.IsAsGiven).ShouldBe((image, true));
        candidate.Name!.Domain.ShouldBe(_registry.Host);
    }

    [Fact]
    public async Task The_credential_of_such_a_mirror_goes_to_it_alone_and_a_pods_secret_as_the_pod_has_it()
    {
        var candidate = Candidates("{ns: true, auth: 'robot:planted'}", "nginx:1").Single();
        var image = Field(1, Field(1, "nginx:1"));
        var ofPod = Message(image, Field(2, Message(Field(1, "pod"), Field(2, "secret"), Field(4, "https://index.docker.io/v1/"))));

        var own = (await PullRequest.For(candidate, image, TestContext.Current.CancellationToken)).Message;
        (FindText(own, 1, 1), FindText(own, 2, 1), FindText(own, 2, 4)).ShouldBe(("nginx:1", "robot", _registry.Address));
        (await PullRequest.For(candidate, ofPod, TestContext.Current.CancellationToken)).Message.ShouldBe(ofPod);
    }

    [Fact]
    public void Entries_with_another_root_are_other_registries()
    {
        var config = Load($"address: {_registry.Address}\nregistries:\n- {{address: '{_registry.Address}', apiRoot: /a}}\n- {{address: '{_registry.Address}', apiRoot: /b}}\n- {{address: '{_registry.Address}', apiRoot: /a/, priority: 7}}\n");

        config.Settings!.Registries.Select(registry => registry.ApiRoot).ShouldBe(["v2", "b", "a"]);
        config.Warnings.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("apiRoot: v2", "apiRoot (shim.yaml:3): v2 is no such path; use the path of its API, such as /artifactory/api/docker/hub/v2, or / for none")]
    [InlineData("apiRoot: /v2?a=b", "apiRoot (shim.yaml:3): /v2?*** is no such path; use the path of its API, such as /artifactory/api/docker/hub/v2, or / for none")]
    [InlineData("apiRoot: /a/../b", "apiRoot (shim.yaml:3): /a/../b is no such path; use the path of its API, such as /artifactory/api/docker/hub/v2, or / for none")]
    [InlineData("pullFromMirror: digests", "pullFromMirror (shim.yaml:3): digests is not known here; use all or digest-only or tag-only")]
    [InlineData("ns: perhaps", "ns (shim.yaml:3): perhaps is neither true nor false; use true or false")]
    public void What_cannot_be_is_a_problem(string line, string problem) =>
        Load($"address: {_registry.Address}\nimages: ['*']\n{line}\n").Problems.ShouldBe([problem]);

    private IEnumerable<Candidate> Candidates(string settings, string image)
    {
        var entry = settings.StartsWith('{') ? settings.Insert(1, $"address: '{_registry.Address}', ") : $"{{address: '{_registry.Address}'{(settings.Length == 0 ? "" : $", {settings}")}}}";
        var config = Load($"address: nowhere.corp\nimages: [nowhere.corp]\nregistries:\n- {entry}\n");
        config.Problems.ShouldBeEmpty();
        Reference.TryParse(image, out var reference).ShouldBeTrue();
        return new CandidateList(config.Settings!).AtRegistries(image, reference!).Where(candidate => candidate.Registry!.Host == _registry.Host);
    }

    private ConfigResult Load(string yaml)
    {
        File.WriteAllText(_directory.File("shim.yaml"), yaml);
        return ConfigFile.Load(_directory.File("shim.yaml"));
    }
}
