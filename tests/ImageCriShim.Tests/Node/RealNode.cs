using System.Collections.Concurrent;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// What a cluster's node has around it, started once for all tests that pull: a containerd of each version, and registries. Whatever
/// host an image names, the containerds ask something here: what has no door of its own is asked for at <see cref="Origin"/>.
/// </summary>
public sealed class RealNode : IAsyncLifetime
{
    /// <summary>
    /// How long containerd 1.7 and later wait for data of a pull; they look every five seconds, and give up at the third look. Their
    /// default is five minutes.
    /// </summary>
    public static readonly TimeSpan PullProgress = TimeSpan.FromSeconds(9);

    private const string PauseImage = "lab/pause:1";

    private readonly ConcurrentDictionary<string, string> _sockets = new();
    private readonly ConcurrentBag<string> _certificates = [];
    private readonly Lab _lab = Lab.Make();
    private int _names;

    /// <summary>A registry with a password, <see cref="Another"/> with another one, and <see cref="Open"/> without.</summary>
    public LabRegistry Private { get; private set; } = null!;

    public LabRegistry Another { get; private set; } = null!;

    public LabRegistry Open { get; private set; } = null!;

    /// <summary>Speaks TLS under a private authority and has a password.</summary>
    public LabRegistry Tls { get; private set; } = null!;

    public string TlsAuthority => Path.Combine(_lab.Directory, "tls", "ca.crt");

    /// <summary>Stands in for Docker Hub and every other host of the world.</summary>
    public Door Origin { get; private set; } = null!;

    /// <summary>What <see cref="Origin"/> stands in front of.</summary>
    public LabRegistry OriginRegistry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Tls = await LabRegistry.Start(_lab, "tls", "admin:" + Secrets.OfTls, tls: true); // makes the authority
        var registries = await Task.WhenAll(
            LabRegistry.Start(_lab, "private", "admin:" + Secrets.OfPrivate),
            LabRegistry.Start(_lab, "another", "robot:" + Secrets.OfAnother),
            LabRegistry.Start(_lab, "open"),
            LabRegistry.Start(_lab, "origin"));
        (Private, Another, Open, OriginRegistry) = (registries[0], registries[1], registries[2], registries[3]);
        Origin = new Door(OriginRegistry);
        await OriginRegistry.Push(PauseImage);
        await Task.WhenAll((await Lab.Run("versions")).Split('\n').Select(line => line.Split(' ')[0]).Intersect(ContainerdVersions.OfEitherInterface).Select(StartContainerd));
    }

    /// <summary>A name that no other test uses, with a tag.</summary>
    public string NewName() => $"team/app{Interlocked.Increment(ref _names)}:1.0";

    /// <summary>
    /// Gives a registry a new host name, which every containerd knows as plain http. (1.4 has no place where to write that: it asks
    /// <see cref="Origin"/> first, and loopback, which is plain http without being told, when it has nothing.)
    /// </summary>
    public Door OpenDoor(LabRegistry registry, bool takesPodSecrets = false)
    {
        var door = new Door(registry) { TakesPodSecrets = takesPodSecrets };
        foreach (var certificates in _certificates)
            WriteHosts(Path.Combine(certificates, door.Host), door.Address);
        return door;
    }

    /// <summary>The same for <see cref="Tls"/>, whose requests nobody on the way can read.</summary>
    public TlsDoor OpenTlsDoor()
    {
        var door = new TlsDoor(Tls);
        foreach (var certificates in _certificates)
            WriteHosts(Path.Combine(certificates, door.Host), door.Address, $"  ca = \"{TlsAuthority}\"\n");
        return door;
    }

    /// <summary>A registry of the test's own, without a password; it ends with the node.</summary>
    public Task<LabRegistry> StartRegistry() => LabRegistry.Start(_lab, $"own-{Interlocked.Increment(ref _names)}");

    /// <summary>A registry that wants tokens; it ends with the node.</summary>
    public Task<LabRegistry> StartTokenRegistry(string auth, TokenGuard tokens) =>
        LabRegistry.Start(_lab, $"tokens-{Interlocked.Increment(ref _names)}", auth, tokens: tokens);

    /// <summary>The socket of that containerd.</summary>
    public string SocketOf(string containerd)
    {
        Assert.SkipUnless(_sockets.ContainsKey(containerd), $"containerd {containerd} could not be installed");
        return _sockets[containerd];
    }

    /// <summary>A shim in front of that containerd.</summary>
    public Task<ShimOnNode> StartShim(string containerd, string yaml, params (string Name, string Value)[] environment) =>
        ShimOnNode.Start(SocketOf(containerd), yaml, environment);

    /// <summary>A caller of that containerd itself, in a version that it speaks.</summary>
    public Task<CriCaller> ConnectTo(string containerd) => CriCaller.Connect(SocketOf(containerd), containerd == "1.4" ? "v1alpha2" : "v1");

    public async Task RestartContainerd(string containerd)
    {
        await Lab.Run("containerd", "stop", _lab.Directory, NameOf(containerd));
        await Lab.Run("containerd", "resume", _lab.Directory, NameOf(containerd));
    }

    /// <summary>A shim that keeps its state in that directory, where an earlier one may have left something.</summary>
    public Task<ShimOnNode> StartShimOn(string stateDirectory, string containerd, string yaml) =>
        ShimOnNode.StartOn(stateDirectory, SocketOf(containerd), yaml);

    public async ValueTask DisposeAsync()
    {
        await _lab.DisposeAsync();
        if (Origin is not null)
            await Origin.DisposeAsync();
    }

    private async Task StartContainerd(string version)
    {
        var sandbox = $"{OriginRegistry.Host}/{PauseImage}";
        string[] registries = [OriginRegistry.Address, $"{Tls.Address}={TlsAuthority}"];
        string[] options = ["--as", NameOf(version), "--elsewhere", Origin.Address, "--pull-progress", $"{PullProgress.TotalSeconds}s"];
        var socket = await Lab.Run(["containerd", "start", _lab.Directory, version, sandbox, .. version is "1.4" or "1.6" ? options[..^2] : options, .. registries]);
        _certificates.Add(Path.Combine(Path.GetDirectoryName(socket)!, "certs.d"));
        _sockets[version] = socket;
    }

    private static string NameOf(string version) => $"containerd-{version}";

    // Without "server" a miss would be asked for again at the host that the image names, out in the world.
    internal static void WriteHosts(string directory, string address, string more = "") => File.WriteAllText(
        Path.Combine(Directory.CreateDirectory(directory).FullName, "hosts.toml"),
        $"server = \"{address}\"\n[host.\"{address}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{more}");
}

[CollectionDefinition]
public sealed class RealNodeTests : ICollectionFixture<RealNode>;
