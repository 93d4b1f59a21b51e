using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Commands;

/// <summary>What others' files come to, in ours; each result is one that can be used.</summary>
public sealed class Importing : IDisposable
{
    private const string Secret = "planted-import-4b1e";

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Mirrors_of_containerd_s_config_toml()
    {
        Write("config.toml", $$"""
            version = 2
            [plugins."io.containerd.grpc.v1.cri".registry.mirrors]
              [plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]
                endpoint = ["https://mirror.corp", "https://registry-1.docker.io"]
              [plugins."io.containerd.grpc.v1.cri".registry.mirrors."quay.io"]
                endpoint = ["https://mirror.corp", "https://harbor.corp/v2/quay"]
              [plugins."io.containerd.grpc.v1.cri".registry.mirrors."sealos.hub:5000"]
                endpoint = ["http://sealos.hub:5000"]
            [plugins."io.containerd.grpc.v1.cri".registry.configs."sealos.hub:5000".auth]
              username = "admin"
              password = "{{Secret}}"
            [plugins."io.containerd.grpc.v1.cri".registry.configs."harbor.corp".auth]
              auth = "cm9ib3Q6cGFzczp3b3Jk"
            [plugins."io.containerd.grpc.v1.cri".registry.configs."harbor.corp".tls]
              insecure_skip_verify = true

            """);
        Import("config.toml").ShouldBe($$"""
            # the first registry that was found; whatever comes first among equals is asked first
            address: https://mirror.corp  # from DIR/config.toml
            images: [docker.io, quay.io]
            ns: true  # the runtime pulls the name as given through its own mirrors: leave them as they are
            registries:
            - address: https://harbor.corp/quay  # from DIR/config.toml
              auth: robot:pass:word
              priority: 500
              images: [quay.io]
              tls:
                insecureSkipVerify: true  # whoever answers is believed
            - address: http://sealos.hub:5000  # from DIR/config.toml
              username: admin
              password: {{Secret}}
              priority: 499
              images: [sealos.hub:5000]

            """);
    }

    [Fact]
    public void A_directory_of_hosts_toml()
    {
        using var authority = new FakeAuthority();
        Write("certs.d/docker.io/hosts.toml", """
            server = "https://docker.io"

            [host."https://registry-1.docker.io"]
              capabilities = ["push"]
            [host."https://public-mirror.example.com"]
              capabilities = ["pull"]
            [host."https://docker-mirror.internal"]
              capabilities = ["pull", "resolve"]
              ca = "docker-mirror.crt"

            """);
        Write("certs.d/docker.io/docker-mirror.crt", authority.Pem);
        Write("certs.d/sealos.hub_5000_/hosts.toml", "server = \"http://sealos.hub:5000\"\n");
        Write("certs.d/_default/hosts.toml", "[host.\"https://everything.corp\"]\n  skip_verify = true\n");
        Import("certs.d").ShouldBe("""
            # the first registry that was found; whatever comes first among equals is asked first
            address: https://public-mirror.example.com  # from DIR/certs.d/docker.io/hosts.toml
            images: [docker.io]
            ns: true  # the runtime pulls the name as given through its own mirrors: leave them as they are
            pullFromMirror: digest-only
            registries:
            - address: https://docker-mirror.internal  # from DIR/certs.d/docker.io/hosts.toml
              priority: 500
              images: [docker.io]
              ns: true  # the runtime pulls the name as given through its own mirrors: leave them as they are
              tls:
                ca: DIR/certs.d/docker.io/docker-mirror.crt
            - address: http://sealos.hub:5000  # from DIR/certs.d/sealos.hub_5000_/hosts.toml
              priority: 499
              images: [sealos.hub:5000]
            - address: https://everything.corp  # from DIR/certs.d/_default/hosts.toml
              priority: 498
              images: ["*"]
              exclude: [docker.io, sealos.hub:5000]
              ns: true  # the runtime pulls the name as given through its own mirrors: leave them as they are
              tls:
                insecureSkipVerify: true  # whoever answers is believed

            """);
    }

    [Fact]
    public void Docker_s_daemon_json()
    {
        Write("daemon.json", """{"registry-mirrors": ["https://mirror.corp/"], "insecure-registries": ["sealos.hub:5000", "10.0.0.0/8"]}""");
        Import("daemon.json").ShouldBe("""
            # the first registry that was found; whatever comes first among equals is asked first
            address: https://mirror.corp  # from DIR/daemon.json
            images: [docker.io]
            registries:
            - address: http://sealos.hub:5000  # from DIR/daemon.json: docker tries https here and believes every certificate, then plain http; if it is https, write https:// and tls: {insecureSkipVerify: true}
              priority: 500
              images: [sealos.hub:5000]

            """);
    }

    [Theory]
    [InlineData("insecure-registries", "planted-import-4b1e", true)]
    [InlineData("insecure-registries", "planted-import-4b1e/", true)]
    [InlineData("insecure-registries", "http://planted-import-4b1e", true)]
    [InlineData("insecure-registries", "Admin:planted-import-4b1e", true)]
    [InlineData("insecure-registries", "admin:planted-import-4b1e@old.corp", true)]
    [InlineData("insecure-registries", "old.corp?token=planted-import-4b1e", true)]
    [InlineData("insecure-registries", "", true)]
    [InlineData("insecure-registries", "10.0.0.0/8", false)]
    [InlineData("insecure-registries", "fd00::/8", false)]
    [InlineData("registry-mirrors", "planted-import-4b1e", true)]
    [InlineData("registry-mirrors", "https://planted-import-4b1e", true)]
    public void What_docker_s_daemon_json_names_and_is_no_registry_is_told_of_by_its_place(string key, string value, bool isWarned)
    {
        Write("daemon.json", JsonSerializer.Serialize(new Dictionary<string, string[]> { [key] = ["https://mirror.corp:5000", value, "also.corp:5000"] }));
        var (files, report) = (new ImportedFiles(), new ConfigReport("daemon.json"));
        files.Read(_directory.File("daemon.json"), report);

        report.Problems.ShouldBeEmpty();
        report.Warnings.Count(line => line == $"{key}[1] (daemon.json): is no registry, so it is not imported").ShouldBe(isWarned ? 1 : 0);
        string.Join('\n', report.Warnings).ShouldNotContain("planted");
        var written = new ImportedText().Write(files);
        written.ShouldContain("also.corp:5000");
        written.ShouldNotContain("planted");
    }

    [Fact]
    public void A_Go_shim_s_file_and_the_registries_of_its_ConfigMap()
    {
        Write("image-cri-shim.yaml", $$"""
            shim: /var/run/image-cri-shim.sock
            cri: /run/containerd/containerd.sock
            address: http://old.hub:5000
            force: true
            sync: 10
            auth: admin:old
            cache: {imageCacheSize: 1024, domainCacheTTL: 10m}
            registries:
            - address: http://mirror.corp:5000
              auth: "reader:pass:{{Secret}}"
              priority: 100

            """);
        Write("registries.yaml", $$"""
            version: v1
            sealos: { address: http://sealos.hub:5000, auth: { username: admin, password: "{{Secret}}" } }
            registries:
            - address: http://second.corp:5000
              auth: {username: "", password: ""}

            """);
        Import("image-cri-shim.yaml", "registries.yaml").ShouldBe($$"""
            address: http://sealos.hub:5000  # https without a scheme; certificates are verified (tls.ca names a private authority)
            username: admin
            password: {{Secret}}  # it goes to this registry and to nobody else
            shim: /var/run/image-cri-shim.sock
            cri: /run/containerd/containerd.sock
            force: true  # starts without a runtime, and answers UNAVAILABLE until it is there
            # sync does nothing any more
            cache:
              imageCacheSize: 1024
              domainCacheTTL: 10m
            registries:
            - address: http://mirror.corp:5000  # https without a scheme; certificates are verified (tls.ca names a private authority)
              auth: reader:pass:{{Secret}}  # split at the first colon; it goes to this registry and to nobody else
              priority: 100  # 1 to 10000, 0 is the default (500)
            - address: http://second.corp:5000  # https without a scheme; certificates are verified (tls.ca names a private authority)

            """);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_said_to_be_so_without_what_is_in_it()
    {
        Write("config.toml", $"password = \"{Secret}\n");
        var report = new ConfigReport("config.toml");
        new ImportedFiles().Read(_directory.File("config.toml"), report);
        report.Problems.ShouldBe([$"config.toml: {_directory.File("config.toml")} is not TOML: line 1: a text in quotes is not ended"]);
    }

    private string Import(params string[] names)
    {
        var files = new ImportedFiles();
        foreach (var name in names)
        {
            var report = new ConfigReport(name);
            files.Read(_directory.File(name), report);
            report.Problems.ShouldBeEmpty();
        }

        var text = new ImportedText();
        var written = text.Write(files);
        Write("new.yaml", written);
        var config = ConfigFile.Load(_directory.File("new.yaml"));
        config.Problems.ShouldBeEmpty(written);
        config.Warnings.ShouldBeEmpty(written);
        text.HoldsSecrets.ShouldBe(written.Contains("auth: ") || written.Contains("password: "));
        return written.Replace(_directory.Path, "DIR");
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory.File(name))!);
        File.WriteAllText(_directory.File(name), text);
    }
}
