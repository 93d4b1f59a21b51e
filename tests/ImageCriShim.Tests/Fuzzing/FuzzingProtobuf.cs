using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;
using GrpcMessage = ImageCriShim.Cri.GrpcMessage;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// Messages of edited calls: an octet that chooses the call, then its request or its answer. What we do not understand survives octet by
/// octet, what comes of
/// it is read by another reader of protobuf, and what is malformed goes on as it came.
/// </summary>
public sealed class FuzzingProtobuf : FuzzTarget, IAsyncDisposable
{
    private const string Given = "docker.io/library/nginx", Actual = "hub.local:5000/library/nginx", Renamed = "other.local/x:2";

    private static readonly string[] s_methods =
    [
        "ImageService/PullImage", "ImageService/ImageStatus", "ImageService/ListImages", "ImageService/StreamImages",
        "ImageService/RemoveImage", "RuntimeService/CreateContainer", "RuntimeService/ContainerStatus",
    ];

    private readonly TempDirectory _directory = new();
    private readonly FakeRuntime _runtime;
    private readonly RegistryClient _registries = new(TimeProvider.System);
    private readonly Outages _outages;
    private readonly RuntimeClient _client;
    private readonly PullRecord _record;
    private readonly RouteCall _route;

    public FuzzingProtobuf()
    {
        var log = new CapturingLog();
        _runtime = FakeRuntime.Start(_directory.File("cri.sock"), new RawOptions { Record = false });
        _runtime.KeepCalls = false;
        _runtime.Images.Add($"{Actual}:1");
        _outages = new Outages(_registries, TimeProvider.System, log);
        _client = new RuntimeClient(new RuntimeSocket(_runtime.SocketPath, TimeProvider.System));
        var settings = new ShimSettings { Registries = [ResolveCase.Configured("hub.local:5000", 500)] };
        var resolver = new Resolver(settings, _outages, TimeProvider.System);
        var pull = new RecordedPull("nginx:1", $"{Actual}:1", "hub.local:5000", "sha256:" + new string('1', 64), DateTimeOffset.UnixEpoch, PulledWith.NodesOwn);
        _record = new PullRecord([pull]);
        _route = new CriRouter(
            () => new CallEnvironment(settings, resolver, _registries, _client, new PullRecord(_record.All), new MissingImages([]), TimeProvider.System, log),
            _ => RuntimeVersions.Both).Begin(() => true);
    }

    protected override string Name => "protobuf";

    protected override IReadOnlyList<byte[]> Words { get; } =
    [
        Field(1, "nginx:1"), Field(1, Field(1, "nginx:1")), Field(1, Field(1, Field(1, "nginx:1"))), Field(2, Field(2, Field(1, "nginx:1"))),
        Field(2, $"{Actual}:1"), Field(3, $"{Actual}@sha256:{new string('a', 64)}"),
        Field(2, Field(7, Field(9, Field(1, "nginx:1")))), Field(2, Field(2, "pod:secret")), Field(4, 1234UL), Field(1000, "unknown"),
        Field(18, "nginx:1"), Field(8, Field(1, $"{Actual}:1")), Field(1, Field(8, Field(1, $"{Actual}:1"))),
        Encoding.UTF8.GetBytes($"{Actual}:1"), Encoding.UTF8.GetBytes($"{Given}:1"),
        [0x08, 1], [0x09, 1, 2, 3, 4, 5, 6, 7, 8], [0x0D, 1, 2, 3, 4], [0x0B], [0x0C], [0x0A, 0],
        [0x8A, 0x80, 0x00, 1, (byte)'a'], [0x0A, 0x81, 0x00, (byte)'b'],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x80, 0x80, 0x10],
    ];

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _outages.Dispose();
        _registries.Dispose();
        await _runtime.DisposeAsync();
        _directory.Dispose();
    }

    private protected override string Take(byte[] input)
    {
        var (choice, message) = (input.Length == 0 ? 0 : input[0], input[Math.Min(1, input.Length)..]);
        var isSound = ProtoMessages.TryRead(message, out _);
        return $"{choice % 4}{isSound}" + (choice % 4) switch
        {
            0 => EditRequest(message, isSound),
            1 => Restore(message, isSound),
            2 => TakeRequest(s_methods[choice / 4 % s_methods.Length], message, isSound),
            _ => TakeAnswer(s_methods[choice / 4 % s_methods.Length], message),
        };
    }

    /// <summary>Half of the time as a tree: the lengths around what is changed are right again.</summary>
    private protected override byte[] Mutate(Mutator mutator, byte[] input, byte[] other) =>
        input.Length > 0 && mutator.Random.Next(2) == 0
            ? [input[0], .. ProtoMessages.Mutate(mutator, input[1..], other.Length == 0 ? other : other[1..])]
            : mutator.Mutate(input, other);

    private static string EditRequest(byte[] request, bool isSound)
    {
        try
        {
            var (renamed, filtered) = (CriMessages.WithImage(request, Renamed), CriMessages.WithFilter(request, Renamed));
            Holds(CriMessages.GetImage(renamed) == Renamed && FindText(renamed, 1, 1) == Renamed, "not renamed");
            Holds(CriMessages.GetFilter(filtered) == Renamed && FindText(filtered, 1, 1, 1) == Renamed, "another filter");
            Holds(ProtoMessages.Others(request, 1).SequenceEqual(ProtoMessages.Others(renamed, 1)), "something else is another");
            Holds(ProtoMessages.Others(request, 1).SequenceEqual(ProtoMessages.Others(filtered, 1)), "something else is another");
            var spec = CriMessages.GetSpec(request);
            Holds(ProtoMessages.Others(spec, 1).SequenceEqual(ProtoMessages.Others(CriMessages.GetSpec(renamed), 1)),
                "the rest of the spec is another");
            Holds(CriMessages.GetImage(CriMessages.MakeImageStatusRequest(spec, Renamed)) == Renamed, "asked for another");
            var hasSecret = AuthConfig.IsIn(request);
            var without = AuthConfig.Replace(request, null, "");
            Holds(!AuthConfig.IsIn(without) && ProtoMessages.Others(without, 2).SequenceEqual(ProtoMessages.Others(request, 2)),
                "a secret is left, or something else is not");
            var with = AuthConfig.Replace(request, new Credential.Password("admin", "passw0rd"), "https://hub.local");
            Holds(FakeImages.ReadAuth(with) == new FakeAuth("admin", "passw0rd", "", "https://hub.local", "", ""), "another secret");
            Holds(ProtoMessages.Others(with, 2).SequenceEqual(ProtoMessages.Others(request, 2)), "the rest is another");
            var readdressed = AuthConfig.Readdress(request, "https://hub.local");
            Holds(AuthConfig.IsIn(readdressed) == hasSecret && FakeImages.ReadAuth(readdressed)!.ServerAddress == "https://hub.local",
                "for another host");
            return $"{hasSecret}{Size(spec.Length)}{Shape(CriMessages.GetImage(request), 6)}{Size(Read(request).Count)}";
        }
        catch (MalformedMessageException e)
        {
            return Template(e.Message) + isSound;
        }
    }

    private string Restore(byte[] answer, bool isSound)
    {
        var behaviour = "";
        foreach (var mode in (ShownNames[])[ShownNames.Original, ShownNames.Both, ShownNames.Actual])
        {
            var names = new RestoredNames(mode, _record.Names, writesShortNames: answer.Length % 2 == 1);
            try
            {
                var images = names.InImages(answer);
                var status = names.InContainerStatus(answer);
                Holds(mode is not ShownNames.Actual || (images is null && status is null), "restored although it is not wanted");
                if (images is { } restored)
                    SameButNames(answer, Unframe(restored), mode);
                if (status is { } shown)
                    SameButImage(answer, Unframe(shown));
                behaviour += $"{images is not null}{status is not null}{Size(isSound ? Read(answer).Count : 0)}";
            }
            catch (MalformedMessageException e)
            {
                behaviour += Template(e.Message) + isSound;
            }
        }

        return behaviour;
    }

    private static void SameButNames(byte[] answer, byte[] restored, ShownNames mode)
    {
        Holds(ProtoMessages.Others(answer, 1).SequenceEqual(ProtoMessages.Others(restored, 1)), "what stands beside the images is another");
        var (before, after) = (ProtoMessages.Embedded(answer, 1), ProtoMessages.Embedded(restored, 1));
        Holds(before.Count == after.Count, "more images, or fewer");
        foreach (var (image, shown) in before.Zip(after))
        {
            Holds(ProtoMessages.Others(image, 2, 3).SequenceEqual(ProtoMessages.Others(shown, 2, 3)), "something else of an image is another");
            var (names, shownNames) = (Names(image), Names(shown));
            Holds(mode is not ShownNames.Both || names.All(shownNames.Contains), "a name is gone");
            Holds(shownNames.All(name => names.Contains(name) || IsGiven(name)), "a name that nobody gave");
        }
    }

    private static void SameButImage(byte[] answer, byte[] shown)
    {
        Holds(ProtoMessages.Others(answer, 1).SequenceEqual(ProtoMessages.Others(shown, 1)), "what stands beside the status is another");
        var (before, after) = (ProtoMessage.GetMessage(answer, 1), ProtoMessage.GetMessage(shown, 1));
        Holds(ProtoMessages.Others(before, 8).SequenceEqual(ProtoMessages.Others(after, 8)), "the rest of the status is another");
        var (image, renamed) = (ProtoMessage.GetMessage(before, 8), ProtoMessage.GetMessage(after, 8));
        Holds(ProtoMessages.Others(image, 1).SequenceEqual(ProtoMessages.Others(renamed, 1)), "the rest of the image is another");
        Holds(IsGiven(FindText(shown, 1, 8, 1)), "a name that nobody gave");
    }

    /// <summary>In full, or as docker writes it.</summary>
    private static bool IsGiven(string name) => name.Contains(Given, StringComparison.Ordinal) || $" {name}".Contains(" nginx", StringComparison.Ordinal);

    private string TakeRequest(string method, byte[] request, bool isSound)
    {
        var call = Route(method);
        var verdict = call.OnRequest(GrpcMessage.Frame(request));
        Holds(isSound || verdict is not (Verdict.Prepare or Verdict.Answer), "malformed, and not the runtime's to judge");
        Holds(verdict is not Verdict.Answer || !method.EndsWith("PullImage", StringComparison.Ordinal)
            || ProtoMessages.TryRead(ProtoMessage.GetMessage(request, 2), out _), "a malformed credential, and not the runtime's to judge");
        if (verdict is Verdict.Prepare)
            TakePrepared(request, Unframe(call.Prepare(CancellationToken.None).GetAwaiter().GetResult()));
        call.OnEnd();
        return $"{method[^6..]}{verdict}{Size(Read(isSound ? request : []).Count)}";
    }

    private static void TakePrepared(byte[] request, byte[] prepared)
    {
        if (!request.AsSpan().SequenceEqual(prepared)) // as it came if it is malformed somewhere
            SameContainer(request, prepared);
    }

    /// <summary>Embedded messages that stand there twice are merged, as protobuf says; all that is in them is still there.</summary>
    private static void SameContainer(byte[] request, byte[] prepared)
    {
        Holds(ProtoMessages.Others(request, 2).SequenceEqual(ProtoMessages.Others(prepared, 2)), "what stands beside the config is another");
        var (before, after) = (ProtoMessage.GetMessage(request, 2), ProtoMessage.GetMessage(prepared, 2));
        Holds(ProtoMessages.Others(before, 2, 7).SequenceEqual(ProtoMessages.Others(after, 2, 7)), "the rest of the config is another");
        SameSpec(ProtoMessage.GetMessage(before, 2), ProtoMessage.GetMessage(after, 2));
        var (mounts, prepares) = (ProtoMessages.Embedded(before, 7), ProtoMessages.Embedded(after, 7));
        Holds(mounts.Count == prepares.Count, "more mounts, or fewer");
        foreach (var (mount, other) in mounts.Zip(prepares))
        {
            Holds(ProtoMessages.Others(mount, 9).SequenceEqual(ProtoMessages.Others(other, 9)), "the rest of a mount is another");
            SameSpec(ProtoMessage.GetMessage(mount, 9), ProtoMessage.GetMessage(other, 9));
        }
    }

    private static void SameSpec(byte[] before, byte[] after)
    {
        Holds(ProtoMessages.Others(before, 1).SequenceEqual(ProtoMessages.Others(after, 1)), "the rest of an image is another");
        var (image, renamed) = (ProtoMessage.GetString(before, 1), ProtoMessage.GetString(after, 1));
        Holds(image == renamed || renamed.StartsWith("hub.local:5000/", StringComparison.Ordinal), "an image that nobody has");
    }

    private string TakeAnswer(string method, byte[] answer)
    {
        var call = Route(method);
        var spec = Field(1, "nginx:1");
        var verdict = call.OnRequest(GrpcMessage.Frame(method.EndsWith("Images", StringComparison.Ordinal) ? [] : Field(1, spec)));
        if (verdict is Verdict.WatchEach)
        {
            var framed = GrpcMessage.Frame(answer);
            var shown = call.OnMessage(framed, () => null);
            Holds(shown.Span.SequenceEqual(framed) || ProtoMessages.TryRead(Unframe(shown), out _), "a message that nobody can read");
            return $"{method[^6..]}{shown.Span.SequenceEqual(framed)}";
        }

        var held = new HeldAnswer();
        held.AddData(GrpcMessage.Frame(answer));
        var reply = verdict is Verdict.Watch ? call.OnAnswer(held) : default;
        Holds(reply.Body is not { } body || ProtoMessages.TryRead(Unframe(body), out _), "an answer that nobody can read");
        call.OnEnd();
        return $"{method[^6..]}{verdict}{reply.IsOurs}{reply.Body is null}";
    }

    private EditedCall Route(string method)
    {
        var path = Encoding.ASCII.GetBytes("/runtime.v1." + method);
        return _route(path, [new HeaderField(":path"u8.ToArray(), path)]).Call!;
    }

    private static byte[] Unframe(ReadOnlyMemory<byte> framed)
    {
        Holds(GrpcMessage.TryReadOnly(framed, () => null, out var message), "no gRPC message");
        return message.ToArray();
    }

    private static List<string> Names(byte[] image) => [.. Read(image).Where(field => field is { Number: 2 or 3,
        WireType: 2 }).Select(field => $"{field.Number} {Convert.ToHexString(field.Bytes)} {field.Text}")];
}
