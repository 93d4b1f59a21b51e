using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Metrics;
using ImageCriShim.Registries;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// Pulls through the shim's own calls, a fake runtime and two fake registries, <see cref="First"/> before <see cref="Second"/>. The images
/// name a host of loopback, the origin, so that nothing leaves the machine.
/// </summary>
public abstract class PullTest : RelayTest
{
    private protected const string ImageService = "/runtime.v1.ImageService/";

    private readonly List<(string Host, string Name)> names = [];

    private protected FakeRegistry First { get; private set; } = null!;

    private protected FakeRegistry Second { get; private set; } = null!;

    /// <summary>A host that refuses connections.</summary>
    private protected string Down { get; private set; } = null!;

    /// <summary>Another one, which the images name.</summary>
    private protected string OriginDown { get; private set; } = null!;

    private protected PullRecord Record { get; private set; } = null!;

    private protected MissingImages Missing { get; } = new([]);

    /// <summary>If set before the start, the record is its, and each connection begins as it does in the daemon.</summary>
    private protected NodeState? State { get; set; }

    private protected FakeTime Time { get; } = new();

    private protected RawCaller Caller { get; private set; } = null!;

    private protected Outages Outages { get; private set; } = null!;

    /// <summary>Counts the answers of registries.</summary>
    private protected ShimMetrics Metrics { get; } = new();

    /// <summary>The runtime, which can pull nothing until it is told what, and the registries.</summary>
    private protected void Prepare()
    {
        Expect("is set aside: "); // of a registry that is down
        StartRuntime();
        Runtime.Images.OnlyPulls["nothing"] = true;
        (First, Second) = (AtEnd(FakeRegistry.Start()), AtEnd(FakeRegistry.Start()));
        (Down, OriginDown) = (ClosedHost(), ClosedHost());
        names.AddRange([(First.Host, "first.local"), (Second.Host, "second.local"), (Down, "down.local"), (OriginDown, "origin.local")]);
    }

    /// <param name="registries">Highest first; First and Second if none is named.</param>
    /// <param name="adjust">What else is set.</param>
    private protected async Task Start(Registry[]? registries = null, Func<ShimSettings, ShimSettings>? adjust = null)
    {
        var settings = new ShimSettings { Registries = [.. registries ?? [At(First.Address), At(Second.Address)]] };
        settings = adjust?.Invoke(settings) ?? settings;
        var asking = new RegistryClient(Time);
        AtEnd(new Ending(asking));
        Outages = new Outages(asking, Time, Log, Metrics);
        AtEnd(new Ending(Outages));
        var runtime = AtEnd(new Ending(new RuntimeClient(new RuntimeSocket(RuntimeSocketPath, TimeProvider.System))));
        var resolver = new Resolver(settings, Outages, Time);
        Record = State?.Pulls ?? new PullRecord([]);
        var environment = new CallEnvironment(settings, resolver, asking, (RuntimeClient)runtime.What, Record, Missing, Time, Log);
        var record = State is null ? null : new RecordBeginning(State, environment.Runtime, Time, Log);
        var beginning = State is null ? null : new ConnectionBeginning(environment.Runtime, () => environment, () => record);
        StartRelay(new CriRouter(() => environment, beginning is null ? _ => RuntimeVersions.Both : beginning.Begin).Begin);
        Caller = await Connect();
    }

    private protected static Registry At(string address, string? auth = null) =>
        auth is null ? ResolveCase.Configured(address, 500) : ResolveCase.Configured(address, 500, auth);

    /// <summary>What is pulled: at the origin if none is named.</summary>
    private protected string Image(string? host = null, string tail = ":1.0") => $"{host ?? OriginDown}/team/app{tail}";

    private protected Task<RawAnswer> Pull(string image, string? secret = null) => Caller.CallAsync(
        ImageService + "PullImage",
        secret is null ? Spec(image) : Message(Spec(image), Field(2, Message(Field(1, "pod"), Field(2, secret)))));

    private protected async Task<string> PullRef(string image, string? secret = null)
    {
        var answer = await Pull(image, secret);
        answer.Status.ShouldBe(0, answer.Message);
        return FindText(answer.Single, 1);
    }

    /// <summary>
    /// Lets time pass while the runtime pulls: a registry that is asked meanwhile whether it is there (<see cref="AttemptWatch"/>), or for
    /// another image, answers first. It is real, and the time is not.
    /// </summary>
    private protected async Task Pass(TimeSpan time)
    {
        var first = time < AttemptWatch.Moment ? time : AttemptWatch.Moment;
        Time.Advance(first);
        var patience = new ShimSettings { Registries = [] }.ProbeTimeout;
        await Wait.Until(() => Time.DueIn(patience) == 0 && Time.DueIn(SecondOpinion.Patience) == 0, "it has answered");
        Time.Advance(time - first);
    }

    /// <summary>Lets the time pass that the settings allow a pull.</summary>
    private protected async Task<T> EndByDeadline<T>(Task<T> pull, TimeSpan? after = null)
    {
        await Pass(after ?? TimeSpan.FromMinutes(16));
        for (; !pull.IsCompleted; await Task.Delay(1)) // the shim may be about to set its timer only now
            Time.Advance(TimeSpan.FromMilliseconds(1));
        return await pull;
    }

    private protected async Task<string> FindId(string image) =>
        FindText((await Caller.CallAsync(ImageService + "ImageStatus", Spec(image))).Single, 1, 1);

    private protected async Task Remove(string image) => (await Caller.CallAsync(ImageService + "RemoveImage", Spec(image))).Status.ShouldBe(0);

    /// <summary>The runtime can pull these.</summary>
    private protected void CanPull(params string[] images) => Array.ForEach(images, image => Runtime.Images.OnlyPulls[image] = true);

    /// <summary>What the runtime was told to pull, with whose password.</summary>
    private protected string[] Pulls => [.. Runtime.CallsOf("PullImage").Where(call => call.Image.Length > 0)
        .Select(call => Plain($"{call.Image}{(call.Auth is { } auth ? $" as {auth.Username}:{auth.Password} for {auth.ServerAddress}" : "")}"))];

    /// <summary>With names for the hosts, whose ports differ from run to run.</summary>
    private protected string Plain(string text) =>
        Regex.Replace(names.Aggregate(text, (told, name) => told.Replace(name.Host, name.Name)), @"127\.0\.0\.1:\d+", "another.local");

    private protected void Name(string host, string name) => names.Insert(0, (host, name));

    private protected string ClosedHost()
    {
        var port = AtEnd(new Ending(new ClosedPort()));
        return $"127.0.0.1:{((ClosedPort)port.What).Number}";
    }

    private static byte[] Spec(string image) => Field(1, Field(1, image));

    private protected sealed class Ending(IDisposable what) : IAsyncDisposable
    {
        internal IDisposable What => what;

        public ValueTask DisposeAsync()
        {
            what.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
