using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Registries.Auth;

/// <summary>A fake registry that wants tokens of a fake token server.</summary>
public abstract class TokenCase : IAsyncLifetime
{
    private protected static readonly Credential Secret = new Credential.Password("admin", "planted-secret");

    private protected FakeRegistry Registry { get; } = FakeRegistry.Start();
    private protected FakeTokenServer Tokens { get; } = FakeTokenServer.Start();
    private protected FakeTime Time { get; } = new();
    private protected ProbeCase Probe { get; }

    protected TokenCase()
    {
        Probe = new ProbeCase(Time);
        Registry.Add("library/nginx", "1.25");
        Registry.Add("team/app", "1");
        Registry.Behave = request => Tokens.Guard(request);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        Probe.Dispose();
        await Registry.DisposeAsync();
        await Tokens.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task<ProbeResult> Ask(Credential? credential = null, string image = "library/nginx:1.25") => Probe.Ask(Registry, image, credential);

    /// <summary>How many requests the registry and the token server have had.</summary>
    private protected (int Registry, int Tokens) Asked => (Registry.Requests.Count, Tokens.Requests.Count);
}
