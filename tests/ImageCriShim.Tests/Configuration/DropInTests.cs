using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

/// <summary>Files that add to the config file, in the order of their names.</summary>
public sealed class DropInTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string ConfigPath => _directory.File("shim.yaml");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_later_file_wins_key_by_key_and_absent_keys_leave_what_is_there()
    {
        Write("address: http://one.local\ntimeout: 5m\nnames: both\ncache: {imageCacheSize: 5, missTTL: 5s}\n");
        DropIn("20.yaml", "timeout: 7m\ncache: {missTTL: 7s}\n");
        DropIn("10.yaml", "timeout: 6m\nnames:\nofflineOnly: true\n");
        DropIn("30.yml", "timeout: 8m\n"); // not one
        DropIn(".hidden.yaml", "timeout: 9m\n");
        var settings = Load();
        (settings.Timeout.TotalMinutes, settings.Names, settings.OfflineOnly).ShouldBe((7, ShownNames.Both, true));
        (settings.Cache.ImageCacheSize, settings.Cache.MissTtl.TotalSeconds).ShouldBe((5, 7));
    }

    [Fact]
    public void Registries_add_up_and_of_two_with_one_address_the_later_counts()
    {
        Write("address: http://one.local\nregistries: [{address: http://two.local, priority: 5}, {address: http://three.local}]\n");
        DropIn("10.yaml", "registries: [{address: http://two.local, priority: 7}, {address: http://four.local}]\n");
        var config = ConfigFile.Load(ConfigPath);
        config.Settings!.Registries.Select(registry => $"{registry}").Order(StringComparer.Ordinal)
            .ShouldBe(["http://four.local (priority 500)", "http://one.local (priority 1000)", "http://three.local (priority 500)", "http://two.local (priority 7)"]);
        config.Warnings.ShouldBe(["registries[0] (shim.d/10.yaml:1): http://two.local stands there twice; this entry counts"]);
    }

    [Fact]
    public void Each_problem_names_the_file_that_has_it()
    {
        Write("address: http://one.local\ntimeout: soon\n");
        DropIn("10.yaml", "\nnames: none\nadress: h\nregistries: [{address: http://two.local, priority: x}]\nexclude: [\"?\"]\ncache: {size: 1}\n");
        var problems = ConfigFile.Load(ConfigPath).Problems.Select(problem => problem.Split("): ")[0] + ")");
        problems.ShouldBe(
        [
            "timeout (shim.yaml:2)", "names (shim.d/10.yaml:2)", "adress (shim.d/10.yaml:3)", "registries[0].priority (shim.d/10.yaml:4)",
            "exclude[0] (shim.d/10.yaml:5)", "cache.size (shim.d/10.yaml:6)",
        ]);
    }

    [Fact]
    public void A_file_that_is_no_YAML_is_named_beside_the_problems_of_the_others()
    {
        Write("address: http://one.local\ntimeout: soon\n");
        DropIn("10.yaml", "{{{");
        var config = ConfigFile.Load(ConfigPath);
        config.Settings.ShouldBeNull();
        config.Problems.Count.ShouldBe(2);
        config.Problems[1].ShouldStartWith("shim.d/10.yaml:1: is not YAML");
    }

    [Fact]
    public void A_directory_that_cannot_be_listed_is_a_problem_and_not_as_if_it_were_empty()
    {
        Write("address: http://one.local\n");
        File.WriteAllText(_directory.File("shim.d"), "");
        ConfigFile.Load(ConfigPath).Problems.ShouldBe([$"shim.yaml: {_directory.File("shim.d")} is a file; make it a directory, or remove it"]);
    }

    [Fact]
    public async Task A_credential_is_one_thing_and_is_replaced_as_a_whole()
    {
        Write("address: http://one.local\nauth: admin:old\n");
        DropIn("10.yaml", "username: robot\npassword: new\n");
        (await Account(Load())).ShouldBe(new Credential.Password("robot", "new"));
    }

    [Fact]
    public async Task The_ConfigMaps_registries_yaml_is_understood()
    {
        Write("address: http://one.local\nauth: admin:old\nversion: v1alpha2\nofflinePriority: 900\n");
        DropIn("registries.yaml", """
            version: v1
            sealos:
              address: http://sealos.hub:5000
              auth:
                username: admin
                password: "pass:w0rd"
            registries:
            - address: http://mirror.local:5000
              auth: {username: reader, password: secret}
            - address: http://open.local:5000
              auth: {username: "", password: ""}
            """);
        var settings = Load();
        settings.Version.ShouldBe(CriVersion.V1Alpha2);
        $"{settings.Offline}".ShouldBe("http://sealos.hub:5000 (priority 900)");
        (await Account(settings)).ShouldBe(new Credential.Password("admin", "pass:w0rd"));
        settings.Registries.Where(registry => !registry.IsOffline).Select(registry => $"{registry.Host} {registry.Credentials}").ShouldBe(["mirror.local:5000 reader:***", "open.local:5000 "]);
    }

    [Fact]
    public async Task The_ConfigMaps_registries_yaml_leaves_alone_what_it_does_not_name()
    {
        Write("address: http://one.local\nauth: admin:old\n");
        DropIn("registries.yaml", "version: v1\nsealos: {address: \"http://two.local\"}\n");
        var settings = Load();
        settings.Offline.Host.ShouldBe("two.local");
        (await Account(settings)).ShouldBe(new Credential.Password("admin", "old"));
    }

    [Fact]
    public void The_address_may_come_from_a_drop_in()
    {
        Write("timeout: 5m\n");
        DropIn("10.yaml", "address: http://one.local\n");
        Load().Offline.Host.ShouldBe("one.local");
    }

    private ShimSettings Load()
    {
        var config = ConfigFile.Load(ConfigPath);
        config.Problems.ShouldBeEmpty();
        return config.Settings!;
    }

    private static async Task<Credential?> Account(ShimSettings settings)
    {
        Reference.TryParse("one.local/a", out var image).ShouldBeTrue();
        return (await settings.Offline.Credentials!.Find(image!, TestContext.Current.CancellationToken)).Credential;
    }

    private void Write(string yaml) => File.WriteAllText(ConfigPath, yaml);

    private void DropIn(string name, string yaml)
    {
        Directory.CreateDirectory(_directory.File("shim.d"));
        File.WriteAllText(_directory.File($"shim.d/{name}"), yaml);
    }
}
