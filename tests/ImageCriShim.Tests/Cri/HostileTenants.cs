using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>
/// Somebody who may create pods in one namespace pulls any images, with any deadlines, and they fail in any way: the images of other pods
/// come from where they came before, and other pods are told what they were told before.
/// </summary>
public sealed class HostileTenants : PullTest
{
    private const string Tenant = "tenant";
    private const int PullsBetweenLooks = 10;

    private static readonly (int Status, string Text)[] s_failures =
    [
        (1, "failed to copy: httpReadSeeker: failed open: context canceled"), (2, "read tcp 10.0.0.1:1->10.0.0.2:5000: i/o timeout"),
        (2, "unexpected EOF"),
        (8, "write /var/lib/containerd/ingest/data: no space left on device"), (2, "failed to extract layer sha256:12: context canceled"),
        (9, "failed commit on ref \"layer\": unexpected commit digest"), (4, "context deadline exceeded"), (5, "not found"), (7, "denied"),
        (14, "connection refused"),
        (13, "internal"), (16, "401 Unauthorized"), (3, "invalid"), (2, "read: connection reset by peer"),
    ];

    private static readonly (string Repository, string Host, int Status)[] s_expected =
    [
        ("team/internal", "first.local", 0), ("team/second", "second.local", 0), ("team/public", "origin.local", 0),
        ("team/nowhere", "", 5),
    ];

    private readonly Dictionary<string, string> told = [];
    private readonly List<string> pulled = []; // for pods of the other namespace, one after the other
    private Random random = new(0);

    public HostileTenants()
    {
        Prepare();
        Expect("pull of ");
        Expect("sent no data");
        Expect("did not send all of it");
        Expect("not pulled");
        Expect("no registry can be reached"); // for an image that both fail for, and that is on the node
        First.Behave = Break;
        Second.Behave = Break;
        foreach (var repository in new[] { "team/internal", "tenant/first", "tenant/both" })
            First.Add(repository, "1.0");
        foreach (var repository in new[] { "team/internal", "team/second", "tenant/second", "tenant/both" })
            Second.Add(repository, "1.0");
    }

    [Fact]
    public Task Change_nothing_for_others() => Attack(pulls: 300, seed: 1);

    [Fact, Trait("suite", "slow")]
    public Task Change_nothing_for_others_in_10_000_pulls() => Attack(pulls: 10_000, Environment.TickCount);

    /// <summary>The registries: they have no usable answer for some images of the tenant.</summary>
    private static FakeAnswer? Break(FakeRequest request) => request.Path.Contains("/broken") ? Random.Shared.Next(4) switch
    {
        0 => new FakeAnswer(500),
        1 => new FakeAnswer(503),
        2 => FakeAnswer.Manifest("text/html"),
        _ => FakeAnswer.RawText(""),
    }
    : null;

    private async Task Attack(int pulls, int seed)
    {
        random = new Random(seed);
        Runtime.KeepCalls = false;
        Runtime.On(ImageService + "PullImage", Serve);
        await Start();
        await Look($"seed {seed}, before");
        for (var i = 1; i <= pulls; i++)
        {
            await PullAsTenant();
            if (i % PullsBetweenLooks == 0)
                await Look($"seed {seed}, after {i} pulls");
        }
    }

    private async Task PullAsTenant()
    {
        var image = Pick(
            $"{OriginDown}/team/internal:1.0", $"{OriginDown}/team/second:1.0", $"{OriginDown}/team/public:1.0",
            $"{OriginDown}/team/nowhere:1.0",
            $"{OriginDown}/tenant/broken{random.Next(50)}:1.0", $"{OriginDown}/tenant/broken:1.0",
            $"{OriginDown}/tenant/first:1.0", $"{OriginDown}/tenant/second:1.0", $"{OriginDown}/tenant/both:1.0",
            $"{First.Host}/team/internal:1.0",
            $"{Second.Host}/team/second:1.0", $"{First.Host}/tenant/first:{random.Next(100)}", $"evil.test/app{random.Next(200)}",
            "a_b.evil.test/team/internal:1.0",
            "Not//A-Name", $"sha256:{new string('a', 64)}", $"evil.test/team/internal@sha256:{new string('b', 64)}");
        var request = Message(
            Field(1, Field(1, image)),
            random.Next(4) == 0 ? Field(2, Message(Field(1, Tenant), Field(2, "guess"), Field(4, Pick("", "https://elsewhere.test")))) : [],
            PodIn(Tenant));
        var deadline = Pick<Header[]>([], [], [("grpc-timeout", "1S")], [("grpc-timeout", "12S")], [("grpc-timeout", "1H")]);
        var call = Caller.Start(ImageService + "PullImage", deadline);
        await call.SendMessageAsync(request, end: true);
        await call.ReadAnswerAsync();
    }

    /// <summary>
    /// The runtime: it pulls what there is for everybody, and for the tenant what chance wants, after as long as chance wants.
    /// </summary>
    private async Task Serve(FakeCall call)
    {
        var request = await call.ReadRequestAsync();
        var image = FindText(request, 1, 1);
        if (FindText(request, 3, 1, 3) == Tenant)
        {
            // A deadline may end it meanwhile, or the timeout of the settings.
            await Pass(random.Next(50) == 0 ? TimeSpan.FromMinutes(16) : TimeSpan.FromSeconds(random.Next(3) * 11 + random.Next(2)));
            if (random.Next(3) > 0)
            {
                var (status, text) = s_failures[random.Next(s_failures.Length)];
                call.Fail(status, text);
                return;
            }
        }

        else
        {
            pulled.Add(image);
        }

        if (image.EndsWith("team/nowhere:1.0", StringComparison.Ordinal))
            call.Fail(5, "not found");
        else
            await call.AnswerAsync(Field(1, Runtime.Images.Add(image).Id));
    }

    /// <summary>What pods of another namespace get, from where, and what they are told.</summary>
    private async Task Look(string when)
    {
        foreach (var (repository, host, status) in s_expected)
        {
            pulled.Clear();
            var image = Field(1, Field(1, $"{OriginDown}/{repository}:1.0"));
            var answer = await Caller.CallAsync(ImageService + "PullImage", Message(image, PodIn("other")));

            answer.Status.ShouldBe(status, $"{when}: {repository}: {answer.Message}");
            if (status == 0)
                pulled.Select(Plain).ShouldBe([$"{host}/{repository}:1.0"], when);
            var heard = status == 0 ? FindText(answer.Single, 1) : answer.Message;
            told.TryAdd(repository, heard);
            heard.ShouldBe(told[repository], when);
        }
    }

    private static byte[] PodIn(string podNamespace) => Field(3, Field(1, Message(Field(1, "pod"), Field(3, podNamespace))));

    private T Pick<T>(params T[] from) => from[random.Next(from.Length)];
}
