using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Rewriting;

/// <summary>A resolver over three fake registries: High, Middle and Low by priority, none of them the offline one unless said.</summary>
internal sealed class ResolveCase : IAsyncDisposable
{
    private readonly RegistryClient client;

    public ResolveCase(Func<ShimSettings, ShimSettings>? adjust = null)
    {
        client = new RegistryClient(Time);
        Settings = new ShimSettings
        {
            Registries = [Configured(High.Address, 900) with { IsOffline = true }, Configured(Middle.Address, 500), Configured(Low.Address, 100)],
        };
        Settings = adjust?.Invoke(Settings) ?? Settings;
        Outages = new Outages(client, Time, Log);
        Resolver = new Resolver(Settings, Outages, Time);
    }

    public FakeTime Time { get; } = new();
    public FakeRegistry High { get; } = FakeRegistry.Start();
    public FakeRegistry Middle { get; } = FakeRegistry.Start();
    public FakeRegistry Low { get; } = FakeRegistry.Start();
    public ShimSettings Settings { get; }
    public Resolver Resolver { get; }
    public Outages Outages { get; }
    public CapturingLog Log { get; } = new();

    public static Registry Configured(string address, int priority)
    {
        RegistryAddress.TryParse(address, out var parsed, out var problem).ShouldBeTrue(problem);
        return new Registry(parsed!) { Priority = priority };
    }

    public static Registry Configured(string address, int priority, string auth) =>
        Configured(address, priority) with { Credentials = new InlineCredential(Credential.Password.Split(auth), "auth") };

    public static ImagePattern Pattern(string text)
    {
        ImagePattern.TryParse(text, out var pattern).ShouldBeTrue();
        return pattern;
    }

    public Task<Decision> Resolve(string image = "nginx:1.25") => Resolver.Resolve(image, TestContext.Current.CancellationToken);

    /// <summary>While that registry does not answer: it is asked, then doubted, and then the time for both is over.</summary>
    public async Task<Decision> ResolveLate(FakeRegistry silent, bool isWell)
    {
        var before = silent.Requests.Count;
        var resolved = Resolve();
        await Wait.Until(() => silent.Requests.Count == before + 1, "it is asked");
        Time.Advance(Settings.ProbeTimeout - SecondOpinion.Patience);
        await Wait.Until(() => silent.Requests.Count == before + 2, "it is doubted");
        if (isWell)
            await Wait.Until(() => Time.Waiting == 1, "it is known to be well");
        Time.Advance(SecondOpinion.Patience);
        return await resolved;
    }

    /// <summary>The names to pull, with H, M and L for the registries.</summary>
    public string ToPull(Decision decision) => string.Join(" ", decision.ToPull.Select(c => c.Image))
        .Replace(High.Host, "H").Replace(Middle.Host, "M").Replace(Low.Host, "L");

    /// <summary>How many requests each has had.</summary>
    public int[] Asked => [High.Requests.Count, Middle.Requests.Count, Low.Requests.Count];

    public async ValueTask DisposeAsync()
    {
        Outages.Dispose();
        client.Dispose();
        await High.DisposeAsync();
        await Middle.DisposeAsync();
        await Low.DisposeAsync();
    }
}
