namespace ImageCriShim.Tests.Node;

/// <summary>
/// docker with what stands in for cri-dockerd, and registries, started once for the tests of a class. Every registry is on loopback, which docker
/// takes for plain http; <see cref="Strange"/> is named by an address that it does not, and <see cref="Told"/> by one that it was told of.
/// </summary>
public sealed class RealDocker : IAsyncLifetime
{
    /// <summary>Every machine's own address for itself, which no network of docker's holds.</summary>
    private const string Itself = "0.0.0.0";

    private readonly Lab _lab = Lab.Make();
    private int _names;

    /// <summary>A registry with a password.</summary>
    public LabRegistry Private { get; private set; } = null!;

    /// <summary>Another one: for names that are given with its host.</summary>
    public LabRegistry Another { get; private set; } = null!;

    public LabRegistry Strange { get; private set; } = null!;

    public LabRegistry Told { get; private set; } = null!;

    /// <summary>Such as 26.1.5; empty where docker could not be installed.</summary>
    public string Version { get; private set; } = "";

    /// <summary>dockerd's own.</summary>
    public string DockerSocket => Path.Combine(_lab.Directory, "docker", "docker.sock");

    private string? Socket { get; set; }

    public async ValueTask InitializeAsync()
    {
        Private = await LabRegistry.Start(_lab, "private", "admin:" + Secrets.OfPrivate);
        Another = await LabRegistry.Start(_lab, "another", "robot:" + Secrets.OfAnother);
        Strange = await LabRegistry.Start(_lab, "strange");
        Told = await LabRegistry.Start(_lab, "told");
        Version = await Lab.Run("docker", "version");
        if (Version.Length > 0)
            Socket = await Lab.Run("docker", "start", _lab.Directory, "--insecure", ByAddress(Told));
    }

    /// <summary>The host of a registry by an address that is not loopback's.</summary>
    public static string ByAddress(LabRegistry registry) => $"{Itself}:{registry.Port}";

    /// <summary>A name that no other test uses, with a tag.</summary>
    public string NewName() => $"team/app{Interlocked.Increment(ref _names)}:1.0";

    public string FindSocket()
    {
        Assert.SkipWhen(Socket is null, "docker could not be installed");
        return Socket!;
    }

    public Task<ShimOnNode> StartShim(string yaml) => ShimOnNode.Start(FindSocket(), yaml);

    /// <summary>A caller of the runtime itself.</summary>
    public Task<CriCaller> Connect() => CriCaller.Connect(FindSocket());

    public ValueTask DisposeAsync() => _lab.DisposeAsync();
}
