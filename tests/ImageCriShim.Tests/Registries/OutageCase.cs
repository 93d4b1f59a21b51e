using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Registries;

/// <summary>One registry that fails as it is told, and who is set aside.</summary>
internal sealed class OutageCase : IAsyncDisposable
{
    private readonly RegistryClient client;

    public OutageCase()
    {
        client = new RegistryClient(Time);
        Outages = new Outages(client, Time, Log);
        Fake.Add("library/nginx", "1.25");
        Registry = Configured(Fake.Address);
    }

    public FakeTime Time { get; } = new();
    public FakeRegistry Fake { get; } = FakeRegistry.Start();
    public CapturingLog Log { get; } = new();
    public Outages Outages { get; }
    public Registry Registry { get; }

    public static Registry Configured(string address)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        return new Registry(parsed!);
    }

    public Task<ProbeResult> Ask(
        Registry? registry = null, string image = "library/nginx:1.25", TimeSpan? patience = null, CancellationToken? cancellation = null) =>
        Outages.Probe(registry ?? Registry, Name(image), patience ?? ProbeCase.Patience, cancellation ?? TestContext.Current.CancellationToken);

    public Task<ProbeResult> AskAgain() =>
        Outages.ProbeAgain(Registry, Name("library/nginx:1.25"), ProbeCase.Patience, TestContext.Current.CancellationToken);

    /// <summary>Lets time pass until the background asks once more, in vain, and says so.</summary>
    public async Task FailInBackground(TimeSpan after, int status)
    {
        Fake.Behave = _ => new FakeAnswer(status);
        Time.Advance(after);
        await Wait.Until(() => Outages.All is [{ Reason: var reason }] && reason == $"HTTP {status}");
    }

    public async ValueTask DisposeAsync()
    {
        Outages.Dispose();
        client.Dispose();
        await Fake.DisposeAsync();
    }

    private Reference Name(string image)
    {
        Reference.TryParse($"{Fake.Host}/{image}", out var name).ShouldBeTrue();
        return name;
    }
}
