using System.Text.Json;
using ImageCriShim.Tests.Hosting;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim config</c>, as an operator types it.</summary>
[Trait("suite", "endtoend")]
public sealed class LookingAtSettings : DaemonTest
{
    private string ConfigPath => Directory.File("image-cri-shim.yaml");

    [Fact]
    public async Task Check_says_everything_that_is_wrong_and_ends_with_2()
    {
        await Write("image-cri-shim.yaml", "adress: sealos.hub\ntimeout: soon\nsync: 1\nofflinePriority: -1\n");
        var (code, output) = await Run("config", "check", "-f", ConfigPath);
        code.ShouldBe(2);
        output.ShouldBe($"""
            error address (image-cri-shim.yaml:1): missing; use the offline registry's host[:port][/path], with http:// or https:// in front where needed
            error adress (image-cri-shim.yaml:1): unknown key; did you mean address?
            error timeout (image-cri-shim.yaml:2): soon is not a duration; use a number with a unit (ms, s, m, h), such as 300ms, 15s or 1h30m
            warning offlinePriority (image-cri-shim.yaml:4): -1 is taken as 0; use 0 to 10000
            note sync (image-cri-shim.yaml:3): belongs to an older release and does nothing here
            {ConfigPath} cannot be used: 3 errors, 1 warning

            """);
    }

    [Fact]
    public async Task Check_of_a_file_that_can_be_used_ends_with_0()
    {
        await Write("new.yaml", "address: sealos.hub:5000\n");
        var (code, output) = await Run("config", "check", Directory.File("new.yaml"));
        (code, output).ShouldBe((0, $"{Directory.File("new.yaml")} can be used: 0 warnings\n"));
    }

    [Fact]
    public async Task Show_has_every_value_with_its_place_and_no_secret()
    {
        await Write("image-cri-shim.yaml", """
            shim: /run/shim.sock
            address: http://sealos.hub:5000
            auth: admin:passw0rd
            cache: {missTTL: 1m}
            tls: {insecureSkipVerify: true}
            exclude: ["*.internal.corp", registry.k8s.io]
            registries:
            - address: harbor.corp/team
              username: robot$team
              password: secret1
              path: "{registry}/{repository}"

            """);
        System.IO.Directory.CreateDirectory(Directory.File("image-cri-shim.d"));
        await Write("image-cri-shim.d/10.yaml", "timeout: 5m\ncache: {imageCacheSize: 9}\nregistries: [{address: quay.io, priority: 700, registryToken: secret2}]\n");
        var (code, output) = await Run("config", "show", "-f", ConfigPath);
        code.ShouldBe(0, output);
        output.ShouldBe("""
            shim: /run/shim.sock                           # image-cri-shim.yaml:1
            cri: found                                     # default
            image: /var/lib/image-cri-shim                 # default
            force: false                                   # default
            version: auto                                  # default
            debug: false                                   # default
            timeout: 5m                                    # image-cri-shim.d/10.yaml:1
            reloadInterval: 15s                            # default
            probeTimeout: 5s                               # default
            metrics: 127.0.0.1:9464                        # default
            names: original                                # default
            offlineOnly: false                             # default
            digestFallback: false                          # default
            serveLocal: true                               # default
            cache:
              imageCacheSize: 9                            # image-cri-shim.d/10.yaml:2
              imageCacheTTL: 30m                           # default
              missTTL: 1m                                  # image-cri-shim.yaml:4
              statsLogInterval: 1m                         # default
              disableStats: false                          # default
            exclude: ["*.internal.corp", registry.k8s.io]  # image-cri-shim.yaml:6
            block: []                                      # default
            address: http://sealos.hub:5000                # image-cri-shim.yaml:2
            offlinePriority: 1000                          # default
            forwardPullSecrets: false                      # default
            images: []                                     # default
            path: "{repository}"                           # default
            apiRoot: /v2                                   # default
            ns: false                                      # default
            pullFromMirror: all                            # default
            auth: "admin:***"                              # image-cri-shim.yaml:3
            tls:
              insecureSkipVerify: true                     # image-cri-shim.yaml:5
            registries:
            - address: https://quay.io                     # image-cri-shim.d/10.yaml:3
              priority: 700                                # image-cri-shim.d/10.yaml:3
              forwardPullSecrets: false                    # default
              images: []                                   # default
              exclude: []                                  # default
              path: "{repository}"                         # default
              apiRoot: /v2                                 # default
              ns: false                                    # default
              pullFromMirror: all                          # default
              registryToken: "***"                         # image-cri-shim.d/10.yaml:3
            - address: https://harbor.corp/team            # image-cri-shim.yaml:8
              priority: 500                                # default
              forwardPullSecrets: false                    # default
              images: []                                   # default
              exclude: []                                  # default
              path: "{registry}/{repository}"              # image-cri-shim.yaml:11
              apiRoot: /v2                                 # default
              ns: false                                    # default
              pullFromMirror: all                          # default
              username: robot$team                         # image-cri-shim.yaml:9
              password: "***"                              # image-cri-shim.yaml:10
            tls (image-cri-shim.yaml:5): is not used, because the address says http://

            """);
    }

    [Fact]
    public async Task What_show_writes_is_a_config_file_that_comes_to_the_same()
    {
        await Write("image-cri-shim.yaml", """
            cri: /run/containerd/containerd.sock
            address: "[2001:db8::1]:5000"
            path: "{registry}/{repository}"
            exclude: ["*"]
            registries:
            - {address: harbor.corp/team, images: [docker.io, "*.gcr.io"], priority: 3, tls: {insecureSkipVerify: yes}}
            - {address: quay.io}

            """);
        var (_, first) = await Run("config", "show", "-f", ConfigPath);
        await Write("again.yaml", first);
        var (code, second) = await Run("config", "show", "-f", Directory.File("again.yaml"));
        code.ShouldBe(0, second);
        Values(second).ShouldBe(Values(first));

        static IEnumerable<string> Values(string shown) => shown.Split('\n').Select(line => line.Split("  #")[0].TrimEnd());
    }

    [Fact]
    public async Task Schema_is_JSON()
    {
        var (code, output) = await Run("config", "schema");
        code.ShouldBe(0, output);
        JsonDocument.Parse(output).RootElement.GetProperty("properties").GetProperty("address").GetProperty("type").GetString().ShouldBe("string");
    }

    private Task Write(string name, string text) => File.WriteAllTextAsync(Directory.File(name), text, TestContext.Current.CancellationToken);
}
