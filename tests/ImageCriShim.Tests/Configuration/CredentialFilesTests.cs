using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Registries.Auth;

namespace ImageCriShim.Tests.Configuration;

public sealed class CredentialFilesTests : IDisposable
{
    private const string Sound = """
        apiVersion: kubelet.config.k8s.io/v1
        kind: CredentialProviderConfig
        providers:
        - name: plugin
          apiVersion: credentialprovider.kubelet.k8s.io/v1
          matchImages: [sealos.hub:5000, "*.dkr.ecr.*.amazonaws.com"]
          defaultCacheDuration: 12h
          args: [get-credentials, "1"]
          env:
          - {name: WHO, value: planted-secret}
          aKeyOfNextYear: {a: b}
        """;

    private readonly TempDirectory folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("passwordFile")]
    [InlineData("dockerConfig")]
    public void A_secret_file_that_everybody_may_read_is_a_warning(string key)
    {
        var file = Write("secret", "{}");
        var user = key == "passwordFile" ? "username: robot\n" : "";

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Load($"{user}{key}: {file}").Warnings.ShouldHaveSingleItem()
            .ShouldBe($"{key} (shim.yaml:{(user.Length > 0 ? 3 : 2)}): {file} may be read by everybody on this machine; chmod o-rwx it");

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Load($"{user}{key}: {file}").Warnings.ShouldBeEmpty();
    }

    [Fact]
    public void A_docker_config_that_is_not_understood_is_a_warning()
    {
        var file = Write("config.json", "auths:");
        File.SetUnixFileMode(file, UnixFileMode.UserRead);

        Load($"dockerConfig: {file}").Warnings.ShouldHaveSingleItem().ShouldBe($"dockerConfig (shim.yaml:2): {file} is not JSON (line 1)");
    }

    [Fact]
    public async Task A_file_that_comes_later_is_used()
    {
        var file = folder.File("late");
        var result = Load($"username: robot\npasswordFile: {file}");
        result.Warnings.ShouldBe([$"passwordFile (shim.yaml:3): {file} is not there"]);

        Write("late", "secret\n");
        (await AuthCase.Find(result.Settings!.Offline.Credentials!, "sealos.hub:5000/app")).ShouldBe("robot:secret");
    }

    [Theory]
    [InlineData("passwordFile", "username: robot\n")]
    [InlineData("identityTokenFile")]
    [InlineData("registryTokenFile")]
    [InlineData("dockerConfig")]
    public void A_secret_in_the_place_of_its_file_is_not_shown_even_where_it_begins_with_a_slash(string key, string user = "") =>
        Load($"{user}{key}: /pl4nted+secret=").Problems.ShouldHaveSingleItem()
            .ShouldBe($"{key} (shim.yaml:{(user.Length > 0 ? 3 : 2)}): is no file, and may be a secret that begins with a slash; "
                + "use the absolute path of a file, in a directory where it comes later");

    [Theory]
    [InlineData(Sound)]
    [InlineData("""
        {
        	"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "CredentialProviderConfig",
        	"providers": [ {
        		"name": "plugin", "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "matchImages": [ "sealos.hub:5000" ],
        		"defaultCacheDuration": "0", "args": ["get-credentials", "1"], "env": [ { "name": "WHO", "value": "planted-secret" } ]
        	} ]
        }
        """)]
    public async Task Kubelets_own_file_is_understood(string config)
    {
        Script.Write(folder.File("plugin"), """
            echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Image","auth":
              {"sealos.hub:5000":{"username":"'"$*"'","password":"'"$WHO"'"}}}'
            """);
        var result = LoadProviders(config);

        result.Problems.ShouldBeEmpty();
        result.Warnings.ShouldBeEmpty();
        var source = result.Settings!.Offline.Credentials!;
        source.ToString().ShouldBe($"credentialProvider {folder.File("providers.yaml")} (plugin)");
        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("get-credentials 1:planted-secret");
        (await AuthCase.Find(source, "quay.io/app")).ShouldBe("none");
    }

    [Fact]
    public async Task Over_a_reload_a_helper_goes_on_with_what_it_remembers_unless_its_file_says_something_else()
    {
        Script.Write(folder.File("plugin"), """
            echo >> "$0.runs"
            echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Registry",
              "auth":{"sealos.hub:5000":{"username":"a","password":"b"}}}'
            """);
        var inForce = LoadProviders(Sound).Settings!;
        await AuthCase.Find(inForce.Offline.Credentials!, "sealos.hub:5000/app");

        var same = LoadProviders(Sound).Settings!.Keeping(inForce);
        await AuthCase.Find(same.Offline.Credentials!, "sealos.hub:5000/app");
        File.ReadAllLines(folder.File("plugin.runs")).Length.ShouldBe(1);

        var other = LoadProviders(Sound.Replace("12h", "11h")).Settings!.Keeping(same);
        await AuthCase.Find(other.Offline.Credentials!, "sealos.hub:5000/app");
        File.ReadAllLines(folder.File("plugin.runs")).Length.ShouldBe(2);
    }

    [Fact]
    public void Every_mistake_in_kubelets_file_is_told_with_its_name_and_line()
    {
        var result = LoadProviders("""
            apiVersion: v1
            kind: Config
            providers:
            - plugin
            - name: ../plugin
              apiVersion: credentialprovider.kubelet.k8s.io/v2
              matchImages: [/path, {a: b}]
              defaultCacheDuration: 12
              args: get-credentials
              env: [planted-secret, {name: "A=B", value: planted-secret}]
            - {name: twice, apiVersion: credentialprovider.kubelet.k8s.io/v1, matchImages: [a.io], defaultCacheDuration: 1m}
            - {name: twice, apiVersion: credentialprovider.kubelet.k8s.io/v1, matchImages: [a.io], defaultCacheDuration: -1m}
            - {}
            """);

        result.Problems.ShouldBe([
            "apiVersion (providers.yaml:1): v1 is not known here; use kubelet.config.k8s.io/v1 or kubelet.config.k8s.io/v1beta1 or kubelet.config.k8s.io/v1alpha1",
            "kind (providers.yaml:2): Config is not known here; use CredentialProviderConfig",
            "providers (providers.yaml:3): twice stands there twice; use each name once",
            "providers[0] (providers.yaml:4): is not a mapping; use name, apiVersion, matchImages, defaultCacheDuration",
            "providers[1].name (providers.yaml:5): ../plugin is not a file's name; use the name of a program in binDir",
            "providers[1].apiVersion (providers.yaml:6): credentialprovider.kubelet.k8s.io/v2 is not known here; use credentialprovider.kubelet.k8s.io/v1 "
                + "or credentialprovider.kubelet.k8s.io/v1beta1 or credentialprovider.kubelet.k8s.io/v1alpha1",
            "providers[1].matchImages (providers.yaml:7): /path is not a pattern; use a list of host[:port][/path], with * inside the labels of a host",
            "providers[1].matchImages[1] (providers.yaml:7): is not a text; use a list of texts",
            "providers[1].defaultCacheDuration (providers.yaml:8): 12 is not a duration; use a number with a unit (ms, s, m, h), such as 300ms, 15s or 1h30m, "
                + "or 0 to remember nothing",
            "providers[1].args (providers.yaml:9): is not a list; use a list of texts",
            "providers[1].env[0] (providers.yaml:10): has no name of a variable; use name and value",
            "providers[1].env[1] (providers.yaml:10): has no name of a variable; use name and value",
            "providers[3].defaultCacheDuration (providers.yaml:12): -1m is not a duration; use a number with a unit (ms, s, m, h), such as 300ms, 15s or 1h30m, "
                + "or 0 to remember nothing",
            "providers[4].name (providers.yaml:13): missing; use the name of a program in binDir",
            "providers[4].apiVersion (providers.yaml:13): missing; use credentialprovider.kubelet.k8s.io/v1 or credentialprovider.kubelet.k8s.io/v1beta1 "
                + "or credentialprovider.kubelet.k8s.io/v1alpha1",
            "providers[4].matchImages (providers.yaml:13): missing; use a list of host[:port][/path], with * inside the labels of a host",
            "providers[4].defaultCacheDuration (providers.yaml:13): missing; use a number with a unit (ms, s, m, h), such as 300ms, 15s or 1h30m, or 0 to remember nothing",
        ]);
    }

    [Theory]
    [InlineData("a: b: c", "providers.yaml:1: is not YAML")]
    [InlineData("", "kind (providers.yaml): missing; use CredentialProviderConfig")]
    [InlineData("[]", "providers.yaml:1: is not a mapping; use key: value lines")]
    public void A_file_that_is_not_kubelets_is_a_problem(string config, string problem) =>
        LoadProviders(config).Problems.ShouldContain(text => text.StartsWith(problem, StringComparison.Ordinal));

    [Fact]
    public void Two_registries_that_name_one_file_hear_of_its_mistakes_once()
    {
        var providers = $"credentialProvider: {{config: {Write("providers.yaml", "kind: Config")}, binDir: {folder.Path}}}";

        Load($"{providers}\nregistries:\n- address: quay.io\n  {providers}").Problems.Count(text => text.StartsWith("kind ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_directory_of_kubelets_files_is_read_in_the_order_of_their_names()
    {
        var directory = Directory.CreateDirectory(folder.File("providers.d")).FullName;
        foreach (var (name, user) in new[] { ("30.json", "c"), ("10.yml", "a"), ("20.yaml", "b") })
        {
            Script.Write(folder.File(user), $$"""
                echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Registry",
                  "auth":{"sealos.hub:5000":{"username":"{{user}}","password":"planted"} } }'
                """);
            Write($"providers.d/{name}", Sound.Replace("name: plugin", $"name: {user}"));
        }

        Write("providers.d/README", "no YAML: [");
        Directory.CreateDirectory(Path.Combine(directory, "40.yaml"));
        var source = Load($"credentialProvider: {{config: {directory}, binDir: {folder.Path}}}").Settings!.Offline.Credentials!;

        source.ToString().ShouldBe($"credentialProvider {directory} (a, b, c)");
        (await AuthCase.Find(source, "sealos.hub:5000/app")).ShouldBe("a:planted");
    }

    [Fact]
    public void Mistakes_in_a_directory_are_told_with_the_name_of_their_file()
    {
        var directory = Directory.CreateDirectory(folder.File("providers.d")).FullName;
        Write("providers.d/1.yaml", Sound);
        Write("providers.d/2.yaml", Sound);
        Write("providers.d/3.json", "{}");

        Load($"credentialProvider: {{config: {directory}, binDir: {folder.Path}}}").Problems.ShouldBe([
            "providers (2.yaml:3): plugin stands in an earlier file of the directory too; use each name once",
            "kind (3.json:1): missing; use CredentialProviderConfig",
            "apiVersion (3.json:1): missing; use kubelet.config.k8s.io/v1 or kubelet.config.k8s.io/v1beta1 or kubelet.config.k8s.io/v1alpha1",
            "providers (3.json:1): missing; use a list of plugins",
        ], ignoreOrder: true);
    }

    [Fact]
    public void A_directory_without_such_files_is_a_problem()
    {
        var directory = Directory.CreateDirectory(folder.File("providers.d")).FullName;
        Write("providers.d/readme.txt", "");

        Load($"credentialProvider: {{config: {directory}, binDir: {folder.Path}}}").Problems.ShouldBe([
            $"credentialProvider.config (shim.yaml:2): {directory} holds no file *.json, *.yaml or *.yml; use the file or directory that kubelet's --image-credential-provider-config names"]);
    }

    [Theory]
    [InlineData("auth: 'robot:pass word '", "robot:pass word ")]
    [InlineData("username: robot\npassword: 'pass word '", "robot:pass word ")]
    [InlineData("auth: |\n  robot:{\n    \"key\": 1\n  }", "robot:{\n  \"key\": 1\n}")]
    [InlineData("username: robot\npassword: |\n  {\n    \"key\": 1\n  }", "robot:{\n  \"key\": 1\n}")]
    [InlineData("sealos:\n  auth: {username: robot, password: \"a\\tb\\n\\n\"}", "robot:a\tb\n")]
    public async Task A_password_is_all_that_is_written_but_for_one_newline(string yaml, string credential) =>
        (await AuthCase.Find(Load(yaml).Settings!.Offline.Credentials!, "sealos.hub:5000/app")).ShouldBe(credential);

    [Fact]
    public void A_plugin_that_is_not_there_is_a_warning() =>
        LoadProviders(Sound).Warnings.ShouldBe([$"providers[0].name (providers.yaml:4): {folder.File("plugin")} is not there or not executable; it is looked for again when it is needed"]);

    [Fact]
    public async Task A_plugin_that_wants_a_pods_service_account_is_not_asked()
    {
        var result = LoadProviders(Sound + "\n  tokenAttributes: {requireServiceAccount: true, serviceAccountTokenAudience: x, cacheType: Token}");

        result.Warnings.ShouldBe(["providers[0].tokenAttributes (providers.yaml:12): wants the service account of a pod, which only kubelet knows; this plugin is not asked"]);
        (await AuthCase.Ask(result.Settings!.Offline.Credentials!, "sealos.hub:5000/app")).Credential.ShouldBeNull();
    }

    private ConfigResult LoadProviders(string config) =>
        Load($"credentialProvider: {{config: {Write("providers.yaml", config)}, binDir: {folder.Path}}}");

    private ConfigResult Load(string credential) => ConfigFile.Load(Write("shim.yaml", $"address: sealos.hub:5000\n{credential}\n"));

    private string Write(string name, string text)
    {
        File.WriteAllText(folder.File(name), text);
        return folder.File(name);
    }
}
