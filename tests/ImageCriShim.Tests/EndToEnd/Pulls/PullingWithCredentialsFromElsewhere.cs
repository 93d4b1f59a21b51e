using System.Text;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWithCredentialsFromElsewhere(RealNode node) : IDisposable
{
    private readonly TempDirectory files = new();

    public void Dispose() => files.Dispose();

    [Theory, ClassData<ContainerdVersions>]
    public async Task Each_source_opens_its_registry_and_none_is_written_anywhere(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        var doors = Enumerable.Range(0, 5).Select(_ => node.OpenDoor(node.Private)).ToArray();
        string[] sources =
        [
            $"username: admin, password: {Secrets.OfPrivate}",
            $"username: admin, passwordFile: {WriteFile("password", Secrets.OfPrivate + "\n")}",
            $"dockerConfig: {WriteDockerConfig("auths.json", doors[2].Host)}",
            $"dockerConfig: {WriteFile("helpers.json", $$"""{ "credHelpers": { "{{doors[3].Host}}": "lab" } }""")}",
            $"credentialProvider: {{ config: {WriteProviderConfig(doors[4].Host)}, binDir: {files.Path} }}",
        ];
        Script.Write(files.File("docker-credential-lab"), $$"""echo '{"Username":"admin","Secret":"{{Secrets.OfPrivate}}"}'; echo {{Secrets.OfPrivate}} >&2""");
        var registries = doors.Zip(sources, (door, source) => $"- {{ address: \"{door.Address}\", images: [\"{HostOf(door)}\"], {source} }}");
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\ndebug: true\nregistries:\n{string.Join('\n', registries)}",
            ("PATH", $"{Environment.GetEnvironmentVariable("PATH")}:{files.Path}"));

        foreach (var door in doors)
        {
            var name = node.NewName();
            var image = await node.Private.Push(name);

            var pulled = await shim.Caller.Pull($"{HostOf(door)}/{name}");

            pulled.ShouldBeOk();
            pulled.ImageRef.ShouldBe(image.Id);
            door.Requests.Where(request => request.IsFromRuntime).Select(request => request.Account).Distinct().ShouldContain(door.Auth);
            door.Requests.Select(request => request.Account).Distinct().ShouldBe([null, door.Auth], ignoreOrder: true); // null: asked before it was told to
        }

        offline.Requests.ShouldAllBe(request => request.Account == null);
        await shim.Process.StopAsync();
        foreach (var line in new[] { "admin:*** (passwordFile ", "dockerConfig ", "credentialProvider " })
            shim.Process.ShouldSay($"Auth: {line}");
        Secrets.ShouldNotBeIn(shim.Process.Output);
        foreach (var door in doors)
            await door.DisposeAsync();
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_password_that_is_replaced_counts_from_the_next_pull_on(string containerd)
    {
        await using var offline = node.OpenDoor(node.Private);
        var file = WriteFile("password", Secrets.Wrong);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nusername: admin\npasswordFile: {file}");
        var (before, behind) = (node.NewName(), node.NewName());
        await node.Private.Push(before);
        await node.Private.Push(behind);

        var refused = await shim.Caller.Pull(before);
        WriteFile("password", Secrets.OfPrivate);
        var pulled = await shim.Caller.Pull(behind);

        refused.Code.ShouldBe(GrpcCode.NotFound); // from the origin: the image was asked for as given
        refused.Message.ShouldContain("denied (HTTP 401 for user admin)");
        pulled.ShouldBeOk();
        Secrets.ShouldNotBeIn(refused.Message);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task A_secret_that_is_not_there_yet_does_not_keep_the_shim_from_starting(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var shim = await node.StartShim(containerd, $"address: {offline.Address}\nusername: admin\npasswordFile: {files.File("late")}");
        var name = node.NewName();
        await node.Open.Push(name);

        (await shim.Caller.Pull(name)).ShouldBeOk(); // it may well answer without

        shim.Process.ShouldSay("late is not there");
        offline.Requests.ShouldAllBe(request => request.Account == null);
    }

    [Theory, ClassData<ContainerdVersions>]
    public async Task Of_several_accounts_on_one_host_the_one_of_the_images_path_pulls(string containerd)
    {
        await using var offline = node.OpenDoor(node.Open);
        await using var harbor = node.OpenDoor(node.Private);
        await using var shim = await node.StartShim(containerd, $$"""
            address: {{offline.Address}}
            registries:
            - { address: "{{harbor.Address}}/other", auth: "admin:{{Secrets.Wrong}}", priority: 900 }
            - { address: "{{harbor.Address}}/team", auth: "{{harbor.Auth}}", priority: 800 }
            """);
        var name = node.NewName();
        var image = await node.Private.Push(name);

        var pulled = await shim.Caller.Pull($"{harbor.Host}/{name}");

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(image.Id);
        harbor.Requests.Select(request => request.Account).Distinct().ShouldBe([null, harbor.Auth], ignoreOrder: true);
        Secrets.ShouldNotBeIn(shim.Process.Output);
    }

    /// <summary>An origin that no containerd needs to reach.</summary>
    private static string HostOf(Door door) => $"origin{door.Port}.example.com";

    private string WriteDockerConfig(string name, string host) => WriteFile(name,
        $$"""{ "auths": { "http://{{host}}": { "auth": "{{Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Secrets.OfPrivate}"))}}" } } }""");

    private string WriteProviderConfig(string host)
    {
        const string version = "credentialprovider.kubelet.k8s.io/v1";
        Script.Write(files.File("plugin"), $$"""
            echo '{"kind":"CredentialProviderResponse","apiVersion":"{{version}}","cacheKeyType":"Registry","auth":{"{{host}}":{"username":"admin","password":"{{Secrets.OfPrivate}}"} } }'
            """);
        return WriteFile("providers.yaml", $$"""
            apiVersion: kubelet.config.k8s.io/v1
            kind: CredentialProviderConfig
            providers:
            - { name: plugin, apiVersion: {{version}}, matchImages: ["{{host}}"], defaultCacheDuration: 1h }
            """);
    }

    private string WriteFile(string name, string text)
    {
        File.WriteAllText(files.File(name), text);
        File.SetUnixFileMode(files.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return files.File(name);
    }
}
