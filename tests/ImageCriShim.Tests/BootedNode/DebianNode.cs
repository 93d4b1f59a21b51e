using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.BootedNode;

/// <summary>
/// A Debian that has booted systemd (<c>lab/lab node</c>), with containerd, two registries and a kubelet stand-in as its units, and this
/// program installed by its Debian package. It boots once for all tests of a collection; each begins with <see cref="Restore"/>.
/// </summary>
public sealed class DebianNode : IAsyncLifetime
{
    /// <summary>The settings that each test begins with.</summary>
    public const string Settings = """
        address: http://registry.corp:5000
        auth: admin:passw0rd
        registries:
        - address: http://mirror.corp:5001
        offlineOnly: true

        """;

    public const string Kubelet = "/var/lib/kubelet/kubeadm-flags.env";

    /// <summary>Its bytes before <c>install</c>.</summary>
    public const string KubeletAlone = "KUBELET_KUBEADM_ARGS=\"--container-runtime-endpoint=unix:///run/containerd/containerd.sock\"";

    /// <summary>Prints every file that has the program's name, but for the packages that tests have put into /opt.</summary>
    public const string Traces =
        "find / /run -xdev \\( -path /var/log -o -path /opt \\) -prune -o -name '*image-cri-shim*' -print";

    /// <summary>The one that asks for no credential.</summary>
    public const string OpenRegistry = "mirror.corp:5001";

    private const string Query = "${db:Status-Status} ${Version}";
    private const string Registry = "registry.corp:5000";

    private readonly Lab _lab = Lab.Make();

    /// <summary>The package of this version, as a file of the node.</summary>
    public string Package { get; private set; } = "";

    /// <summary>The package of a later version.</summary>
    public string NextPackage { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var packages = Lab.Run("debs", Path.Combine(_lab.Directory, "debs"));
        await Lab.Run(
            "node", "start", _lab.Directory, "--kubelet", "--runtime", "containerd-1.7",
            "--registry", $"{Registry}=admin:passw0rd", "--registry", OpenRegistry);
        await Push("nginx", "1.25");
        var paths = (await packages).Split('\n');
        (Package, NextPackage) = (await Put(paths[0]), await Put(paths[1]));
    }

    /// <summary>Runs a script in the node; it must succeed.</summary>
    /// <returns>What it wrote to its standard output, without the last line end.</returns>
    public Task<string> Run(string script) => Lab.Run("node", "run", _lab.Directory, "sh", "-ec", script);

    /// <summary>Runs a script whose exit code is to be looked at.</summary>
    /// <returns>What it wrote to its standard output and error, and a last line <c>exit code N</c>.</returns>
    public Task<string> Try(string script) => Run($"exec 2>&1; code=0; ( {script}\n) || code=$?; echo \"exit code $code\"");

    /// <summary>A property of a unit, as <c>systemctl show</c> has it.</summary>
    public Task<string> Show(string property, string unit = "image-cri-shim.service") =>
        Run($"systemctl show --value -p {property} {unit}");

    /// <summary>The process of the shim's unit, as the node counts; 0 while there is none.</summary>
    public async Task<int> MainPid() => int.Parse(await Show("MainPID"));

    /// <summary>Writes a file of the node, for root alone.</summary>
    public async Task Write(string path, string text)
    {
        var file = Path.Combine(_lab.Directory, "file");
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await Lab.Run("node", "put", _lab.Directory, file, path);
    }

    /// <summary>Copies a file of this machine into the node's /opt.</summary>
    /// <returns>Its path there.</returns>
    public async Task<string> Put(string file)
    {
        var path = $"/opt/{Path.GetFileName(file)}";
        await Lab.Run("node", "put", _lab.Directory, file, path);
        return path;
    }

    /// <summary>Adds lines to the section <c>[Service]</c> of the shim's unit, until the next <see cref="Restore"/>.</summary>
    public async Task DropIn(params string[] lines)
    {
        await Write("/run/systemd/system/image-cri-shim.service.d/test.conf", $"[Service]\n{string.Join('\n', lines)}\n");
        await Run("systemctl daemon-reload");
    }

    /// <summary>Makes an image of its own content and pushes it, as <c>library/NAME:TAG</c>.</summary>
    /// <param name="registry">That of the settings, or <see cref="OpenRegistry"/>.</param>
    public async Task Push(string name, string tag, string registry = Registry)
    {
        var layout = Path.Combine(_lab.Directory, name);
        await Lab.Run("image", layout, tag, $"This is {name}.");
        await Lab.Run("node", "push", _lab.Directory, $"{layout}:{tag}", $"{registry}/library/{name}:{tag}", "admin:passw0rd");
    }

    /// <summary>Removes all images of the registries from the runtime: a shim that has lost its state would take them into its record.</summary>
    public async Task RemoveImages()
    {
        await using var caller = await CriCaller.Connect(await PathOf("/run/containerd/containerd.sock"));
        foreach (var image in (await caller.ListImages()).Where(image => image.Tags.Any(tag => tag.Contains(".corp:", StringComparison.Ordinal))))
            await caller.Remove(image.Id);
    }

    /// <summary>Returns the path by which this machine reaches a socket of the node, until the node reboots.</summary>
    public Task<string> PathOf(string socket) => Lab.Run("node", "path", _lab.Directory, socket);

    /// <summary>A caller of the shim.</summary>
    public async Task<CriCaller> Connect() => await CriCaller.Connect(await PathOf("/run/image-cri-shim.sock"));

    public Task Reboot() => Lab.Run("node", "reboot", _lab.Directory);

    /// <summary>Brings the node back from what a test has left: all is installed and up, and no pull recorded.</summary>
    public async Task Restore()
    {
        await Write("/etc/image-cri-shim.yaml", Settings);
        await Run($"""
            rm -rf /run/systemd/system/image-cri-shim.service.d /etc/kubelet-images /var/lib/image-cri-shim/*.*
            systemctl daemon-reload
            systemctl enable -q registry-registry.corp registry-mirror.corp
            systemctl kill --signal=CONT registry-registry.corp 2>/dev/null || true
            systemctl start containerd registry-registry.corp registry-mirror.corp
            [ "$(dpkg-query -W -f '{Query}' image-cri-shim 2>/dev/null)" = "installed $(dpkg-deb -f {Package} Version)" ] ||
                dpkg -i --force-downgrade --force-confold {Package} >/dev/null 2>&1
            systemctl stop image-cri-shim.service
            systemctl start image-cri-shim.socket
            systemctl reset-failed
            image-cri-shim install --yes >/dev/null
            systemctl start image-cri-shim.service kubelet
            """);
    }

    public async ValueTask DisposeAsync() => await _lab.DisposeAsync();
}

[CollectionDefinition]
public sealed class BootedNodeTests : ICollectionFixture<DebianNode>;

/// <summary>A test on a booted node, which has been restored when it begins.</summary>
[Trait("suite", "booted")]
public abstract class BootedTest(DebianNode node) : IAsyncLifetime
{
    protected DebianNode Node => node;

    public async ValueTask InitializeAsync() => await node.Restore();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Waits until a script of the node succeeds.</summary>
    protected Task Until(string script) =>
        Fakes.Wait.Until(async () => (await node.Try(script)).EndsWith("exit code 0", StringComparison.Ordinal), script);

    /// <summary>Waits until the kubelet that runs now has said so.</summary>
    protected Task KubeletSays(string line) =>
        Until($"journalctl -q -b -o cat -u kubelet _PID=$(systemctl show --value -p MainPID kubelet) | grep -q '{line}'");

    /// <summary>One call through the shim's socket on a connection of its own, as by a kubelet that has just come.</summary>
    /// <returns>The images on the node.</returns>
    protected async Task<ImageOnNode[]> Call()
    {
        await using var caller = await node.Connect();
        return await caller.ListImages();
    }

    protected async Task<PullAnswer> Pull(string image)
    {
        await using var caller = await node.Connect();
        return await caller.Pull(image);
    }
}
