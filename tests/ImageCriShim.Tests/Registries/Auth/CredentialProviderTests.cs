using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>Real plugins: shell scripts that speak kubelet's protocol.</summary>
public sealed class CredentialProviderTests : IDisposable
{
    private const string V1 = "credentialprovider.kubelet.k8s.io/v1";

    private readonly AuthCase test = new();
    private int plugins;

    public void Dispose() => test.Dispose();

    [Theory]
    [InlineData("123.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0", "123.dkr.ecr.eu-west-1.amazonaws.com/team/app")]
    [InlineData("registry.corp:5000/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "registry.corp:5000/app")]
    [InlineData("nginx", "docker.io/library/nginx")]
    public async Task It_is_asked_as_kubelet_asks_it(string image, string asked)
    {
        var plugin = Plugin($"cat > {test.Files.File("request")}; {Answer("Image", image: "*.*.*.*.*.*", user: "AWS")}", V1, "*", "*.corp:5000", "*.io", "*.*.*.*.*.*");

        var answer = await AuthCase.Ask(Source(plugin), image);

        test.Read("request").ShouldBe($$"""{"kind":"CredentialProviderRequest","apiVersion":"{{V1}}","image":"{{asked}}"}""" + "\n");
        answer.From.ShouldBe($"credentialProvider {plugin}");
        answer.Problem.ShouldBeNull();
    }

    [Fact]
    public async Task It_gets_its_arguments_and_variables_besides_our_own()
    {
        var name = NewName();
        Script.Write(test.Files.File(name), $"echo \"$*|$WHO|${{PATH:+path}}\" > {test.Files.File("given")}; {Answer("Image", "quay.io")}");
        var plugin = new CredentialProvider(name, test.Files.Path, V1)
        {
            MatchImages = [Glob("quay.io")],
            Arguments = ["get-credentials", "--region eu"],
            Environment = [KeyValuePair.Create("WHO", "planted")],
        };

        (await AuthCase.Find(Source(plugin), "quay.io/a")).ShouldBe("robot:planted");

        test.Read("given").ShouldBe("get-credentials --region eu|planted|path\n");
        plugin.ToString().ShouldBe(name);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1beta1")]
    [InlineData("v1alpha1")]
    public async Task It_answers_in_the_version_that_it_is_asked_in(string version)
    {
        var source = Source(Plugin($"{Answer("Image", "quay.io", version: version)}", $"credentialprovider.kubelet.k8s.io/{version}", "quay.io"));

        (await AuthCase.Find(source, "quay.io/a")).ShouldBe("robot:planted");
    }

    [Fact]
    public async Task Only_those_whose_images_match_are_asked_in_order_until_one_has_a_credential()
    {
        var source = Source(
            Plugin("echo run >> /nonexistent; exit 1", V1, "ghcr.io"),
            Plugin(Answer("Image", "other.io"), V1, "quay.io"),
            Plugin(Answer("Image", "quay.io", user: "third"), V1, "quay.io/team"),
            Plugin(Answer("Image", "quay.io", user: "fourth"), V1, "quay.io"));

        (await AuthCase.Find(source, "quay.io/team/app")).ShouldBe("third:planted");
        (await AuthCase.Find(source, "quay.io/other/app")).ShouldBe("fourth:planted");
        (await AuthCase.Ask(source, "unknown.io/app")).ShouldBe(new CredentialAnswer(null, $"{source}"));
    }

    [Fact]
    public async Task A_plugin_that_fails_leaves_the_next_one_to_answer()
    {
        var failing = Plugin("exit 1", V1, "*.io");
        var source = Source(failing, Plugin(Answer("Image", "quay.io"), V1, "*.io"));

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldBeNull();
        (await AuthCase.Ask(source, "ghcr.io/a")).Problem.ShouldBe($"credentialProvider /etc/providers.yaml: {failing} failed with exit code 1; run it by hand to see why");
    }

    [Fact]
    public async Task Of_several_credentials_the_one_that_is_most_especially_for_the_image_counts()
    {
        var source = Source(Plugin(
            $$"""
            echo '{"kind":"CredentialProviderResponse","apiVersion":"{{V1}}","cacheKeyType":"Global","cacheDuration":"1h","auth":{
              "*.corp":{"username":"any","password":"1"}, "harbor.corp":{"username":"host","password":"2"},
              "https://harbor.corp/team":{"username":"team","password":"3"}, "harbor.corp:5000":{"username":"port","password":"4"} } }'
            """, V1, "*.corp", "*.corp:5000"));

        (await AuthCase.Find(source, "other.corp/a")).ShouldBe("any:1");
        (await AuthCase.Find(source, "harbor.corp/a")).ShouldBe("host:2");
        (await AuthCase.Find(source, "harbor.corp/team/a")).ShouldBe("team:3");
        (await AuthCase.Find(source, "harbor.corp:5000/team/a")).ShouldBe("port:4");
    }

    [Theory]
    [InlineData("Image", 3)]
    [InlineData("Registry", 2)]
    [InlineData("Global", 1)]
    public async Task Its_answer_is_remembered_for_what_it_says(string cacheKeyType, int runs)
    {
        var source = Source(Counting(Answer(cacheKeyType, "*.io", duration: "1h")));

        foreach (var image in new[] { "quay.io/a:1", "quay.io/a:2", "quay.io/b", "ghcr.io/a", "quay.io/b" })
            (await AuthCase.Find(source, image)).ShouldBe("robot:planted");

        test.Count("runs").ShouldBe(runs);
    }

    [Theory]
    [InlineData("5m", 1, 300)]
    [InlineData("5m", 0, 300)] // the default is for answers that say nothing
    [InlineData(null, 120, 120)]
    public async Task It_is_remembered_for_as_long_as_it_says(string? duration, int defaultSeconds, int seconds)
    {
        var source = Source(Counting(Answer("Image", "*.io", duration: duration), TimeSpan.FromSeconds(defaultSeconds)));

        await AuthCase.Ask(source, "quay.io/a");
        test.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(1);

        test.Time.Advance(TimeSpan.FromTicks(1));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(2);
    }

    [Theory]
    [InlineData("0s", 120)]
    [InlineData(null, 0)]
    public async Task No_time_at_all_is_not_remembered(string? duration, int defaultSeconds)
    {
        var source = Source(Counting(Answer("Global", "*.io", duration: duration), TimeSpan.FromSeconds(defaultSeconds)));

        await AuthCase.Ask(source, "quay.io/a");
        (await AuthCase.Find(source, "quay.io/a")).ShouldBe("robot:planted");

        test.Count("runs").ShouldBe(2);
    }

    [Theory]
    [InlineData("echo planted >&2; exit 7", "failed with exit code 7; run it by hand to see why")]
    [InlineData("echo planted", "gave no CredentialProviderResponse of credentialprovider.kubelet.k8s.io/v1; run it by hand to see its answer")]
    [InlineData("echo '[]'", "gave no CredentialProviderResponse of credentialprovider.kubelet.k8s.io/v1; run it by hand to see its answer")]
    public async Task A_plugin_that_fails_is_a_problem_that_quotes_nothing_of_it_and_is_left_alone_for_ten_seconds(string body, string problem)
    {
        var plugin = Counting(body);
        var source = Source(plugin);

        (await AuthCase.Ask(source, "quay.io/a")).ShouldBe(
            new CredentialAnswer(null, $"credentialProvider {plugin}", $"credentialProvider /etc/providers.yaml: {plugin} {problem}"));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(1);

        test.Time.Advance(TimeSpan.FromSeconds(10));
        await AuthCase.Ask(source, "quay.io/a");
        test.Count("runs").ShouldBe(2);
    }

    [Theory]
    [InlineData("Registry", "v1beta1")] // another version than it was asked in
    [InlineData("Everywhere", "v1")]
    [InlineData("", "v1")]
    public async Task An_answer_outside_the_protocol_is_a_problem(string cacheKeyType, string version)
    {
        var source = Source(Plugin(Answer(cacheKeyType, "quay.io", version: version), V1, "quay.io"));

        (await AuthCase.Ask(source, "quay.io/a")).Problem.ShouldNotBeNull().ShouldContain("gave no CredentialProviderResponse");
    }

    [Fact]
    public async Task A_plugin_that_is_not_there_is_a_problem_until_it_is()
    {
        var plugin = new CredentialProvider("late", test.Files.Path, V1) { MatchImages = [Glob("quay.io")] };
        var source = Source(plugin);

        (await AuthCase.Ask(source, "quay.io/a")).Problem
            .ShouldBe($"credentialProvider /etc/providers.yaml: {test.Files.File("late")} is not there or not executable");

        Script.Write(test.Files.File("late"), Answer("Image", "quay.io"));
        test.Time.Advance(TimeSpan.FromSeconds(10));
        (await AuthCase.Find(source, "quay.io/a")).ShouldBe("robot:planted");
    }

    [Fact]
    public async Task It_runs_once_for_all_who_ask_for_one_image_at_the_same_time()
    {
        var source = Source(Counting(test.WaitForGo + Answer("Image", "quay.io")));

        var asked = Enumerable.Range(0, 20).Select(_ => AuthCase.Find(source, "quay.io/a")).ToList();
        await test.WaitFor("runs");
        test.Write("go", "");

        (await Task.WhenAll(asked).WaitAsync(AuthCase.Patience, TestContext.Current.CancellationToken)).ShouldAllBe(credential => credential == "robot:planted");
        test.Count("runs").ShouldBe(1);
    }

    [Fact]
    public async Task Many_images_are_forgotten_before_they_fill_the_memory()
    {
        var answers = new HelperAnswers<string>(test.Time);
        foreach (var i in Enumerable.Range(0, 3000))
            answers.Keep($"{i}", "answer", TimeSpan.FromHours(1));

        Enumerable.Range(0, 3000).Count(i => answers.TryFind($"{i}", out _)).ShouldBeInRange(1, 1024);
        answers.TryFind("2999", out _).ShouldBeTrue();
        (await answers.Join("x", () => Task.FromResult("fresh"), TestContext.Current.CancellationToken)).ShouldBe("fresh");
    }

    private static ImageGlob Glob(string text)
    {
        ImageGlob.TryParse(text, out var glob).ShouldBeTrue();
        return glob;
    }

    private static string Answer(string cacheKeyType, string image, string user = "robot", string? duration = null, string version = "v1")
    {
        var life = duration is null ? "" : $"\"cacheDuration\":\"{duration}\",";
        return $$"""
            echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/{{version}}","cacheKeyType":"{{cacheKeyType}}",{{life}}"auth":{"{{image}}":{"username":"{{user}}","password":"planted"} } }'
            """;
    }

    private string NewName() => $"plugin-{++plugins}";

    private CredentialProvider Counting(string body, TimeSpan defaultCacheDuration = default) =>
        Plugin(test.Counting(body), V1, defaultCacheDuration, "*.io");

    private CredentialProvider Plugin(string body, string apiVersion, params string[] matchImages) => Plugin(body, apiVersion, TimeSpan.Zero, matchImages);

    private CredentialProvider Plugin(string body, string apiVersion, TimeSpan defaultCacheDuration, params string[] matchImages)
    {
        var name = NewName();
        Script.Write(test.Files.File(name), body);
        return new CredentialProvider(name, test.Files.Path, apiVersion)
        {
            MatchImages = [.. matchImages.Select(Glob)],
            DefaultCacheDuration = defaultCacheDuration,
        };
    }

    private CredentialProviderSource Source(params CredentialProvider[] providers) => new("/etc/providers.yaml", [.. providers], test.Time);
}
