using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.Faults;

/// <summary>A node that can be mistreated: one containerd at a time, and a registry that is reached over <see cref="RegistryLine"/>s.</summary>
public sealed class FaultNode : IAsyncLifetime
{
    private const string Containerd = "containerd";
    private const string PauseImage = "lab/pause:1";
    private const string Installed = "1.7";

    private readonly Lab _lab = Lab.Make();
    private LabRegistry _registry = null!;
    private int _names;

    /// <summary>Of the runtime.</summary>
    public string Socket => Path.Combine(_lab.Directory, Containerd, "containerd.sock");

    /// <summary>The rows of all faults; printed at the end.</summary>
    internal FaultTable Table { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _registry = await LabRegistry.Start(_lab, "hub");
        await _registry.Push(PauseImage);
        await StartContainerd(Installed);
    }

    public async ValueTask DisposeAsync()
    {
        Table.Print();
        await _lab.DisposeAsync();
    }

    /// <summary>A way to the registry, which the runtime knows as plain http or, with a certificate, of that authority.</summary>
    /// <param name="name">Another name of its host; the runtime asks no DNS for it.</param>
    internal RegistryLine OpenLine(X509Certificate2? certificate = null, string authorityFile = "", string? name = null)
    {
        var line = RegistryLine.To(_registry.Port, certificate);
        var host = name is null ? line.Host : $"{name}:{line.Port}";
        var directory = Directory.CreateDirectory(Path.Combine(_lab.Directory, Containerd, "certs.d", host)).FullName;
        var more = certificate is null ? "" : $"  ca = \"{authorityFile}\"\n";
        // Without "server" a miss would be asked for again at the host that the image names.
        File.WriteAllText(
            Path.Combine(directory, "hosts.toml"), $"server = \"{line.Address}\"\n[host.\"{line.Address}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{more}");
        return line;
    }

    /// <summary>New images, which every line leads to.</summary>
    internal async Task<string[]> PushImages(int count)
    {
        var names = Enumerable.Range(0, count).Select(_ => $"team/fault{Interlocked.Increment(ref _names)}:1.0").ToArray();
        foreach (var name in names)
            await _registry.Push(name);
        return names;
    }

    /// <summary>The name by which the runtime itself gets it from there.</summary>
    internal string AtRegistry(string image) => $"{_registry.Host}/{image}";

    internal void Signal(int signal) => Processes.Signal(int.Parse(File.ReadAllText(Path.Combine(_lab.Directory, "daemons", Containerd)).Split(' ')[0]), signal);

    internal Task StopContainerd(string signal = "TERM") => Lab.Run("containerd", "stop", _lab.Directory, Containerd, signal);

    internal Task ResumeContainerd() => Lab.Run("containerd", "resume", _lab.Directory, Containerd);

    /// <summary>On what another version has left, if there was one.</summary>
    internal Task StartContainerd(string version) =>
        Lab.Run("containerd", "start", _lab.Directory, version, $"{_registry.Host}/{PauseImage}", "--as", Containerd, "--elsewhere", _registry.Address, _registry.Address);

    /// <summary>All that it knew is gone; another version begins anew.</summary>
    internal async Task ReplaceContainerd(string version)
    {
        await StopContainerd();
        Directory.Delete(Path.Combine(_lab.Directory, Containerd, "root"), recursive: true);
        await StartContainerd(version);
    }

    internal Task RestoreContainerd() => ReplaceContainerd(Installed);
}

[CollectionDefinition]
public sealed class FaultTests : ICollectionFixture<FaultNode>;
