using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Relay;

/// <summary>A relay with the shim's own edited calls, and a registry that they ask.</summary>
public abstract class CriRelayTest : RelayTest
{
    internal const string ImageService = "/runtime.v1.ImageService/";

    private protected FakeRegistry Registry { get; private set; } = null!;

    private protected void StartCri(RawOptions? runtime = null)
    {
        StartRuntime(runtime);
        Registry = AtEnd(FakeRegistry.Start());
        RegistryAddress.TryParse(Registry.Address, out var address, out _).ShouldBeTrue();
        var registry = new Registry(address!) { IsOffline = true, Credentials = new InlineCredential(new Credential.Password("admin", "secret"), "auth") };
        var settings = new ShimSettings { Registries = [registry] };
        var asking = new RegistryClient(TimeProvider.System);
        AtEnd(new Disposing(asking));
        var registries = AtEnd(new Disposing(new Outages(asking, TimeProvider.System, Log)));
        var client = AtEnd(new Disposing(new RuntimeClient(new RuntimeSocket(RuntimeSocketPath, TimeProvider.System))));
        var resolver = new Resolver(settings, (Outages)registries.What, TimeProvider.System);
        var environment = new CallEnvironment(settings, resolver, asking, (RuntimeClient)client.What, new PullRecord([]), new MissingImages([]), TimeProvider.System, Log);
        StartRelay(new CriRouter(() => environment, _ => RuntimeVersions.Both).Begin);
    }

    /// <summary>What the image is called at the registry.</summary>
    private protected string AtRegistry(string image) => $"{Registry.Host}/library/{image}";

    /// <summary>A request of the image service for that image, with fields that nobody knows.</summary>
    internal static byte[] For(string image) =>
        Message(Field(1, Message(Field(1, image), Field(777, "of the spec"))), Field(999, "of the request"));

    private sealed class Disposing(IDisposable what) : IAsyncDisposable
    {
        internal IDisposable What => what;

        public ValueTask DisposeAsync()
        {
            what.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
