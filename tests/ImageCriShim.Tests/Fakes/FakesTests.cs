using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>The oracle must be right before anything is judged by it.</summary>
public sealed class FakesTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("828684418cf1e3c2e5f23a6ba0ab90f4ff", ":method: GET, :scheme: http, :path: /, :authority: www.example.com")] // C.4.1
    [InlineData("828684410f7777772e6578616d706c652e636f6d", ":method: GET, :scheme: http, :path: /, :authority: www.example.com")] // C.3.1
    [InlineData("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header")] // C.2.1
    [InlineData("100870617373776f726406736563726574", "password: secret")] // C.2.3
    public void Blocks_of_RFC_7541_are_decoded(string block, string expected) =>
        string.Join(", ", new HpackDecoder().Decode(Convert.FromHexString(block))).ShouldBe(expected);

    [Fact]
    public void A_series_of_responses_of_RFC_7541_C_6_is_decoded_with_evictions()
    {
        var decoder = new HpackDecoder(256);
        decoder.Decode(Convert.FromHexString("488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3")).Count.ShouldBe(4);
        decoder.Decode(Convert.FromHexString("4883640effc1c0bf"))[0].ShouldBe(new Header(":status", "307"));
        var third = decoder.Decode(Convert.FromHexString(
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"));
        third[^1].ShouldBe(new Header("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"));
    }

    [Fact]
    public void What_the_indexing_encoder_writes_is_decoded_again()
    {
        var (encoder, decoder) = (new IndexingHpackEncoder(300), new HpackDecoder(300));
        for (var round = 0; round < 50; round++)
        {
            Header[] fields = [(":path", $"/a/{round % 3}"), ("authorization", "secret"), ("x-bin", new string('\u00ff', round)),
                ("same", "same")];
            decoder.Decode(encoder.Encode(fields)).ShouldBe(fields);
        }
    }

    [Fact]
    public async Task A_call_from_the_raw_caller_is_answered_by_the_raw_runtime()
    {
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        await using var caller = await RawCaller.ConnectAsync(runtime.SocketPath, new() { Encoder = RawOptions.Indexing });
        for (var i = 0; i < 3; i++)
        {
            var answer = await caller.CallAsync("/test.Fake/Unary", Encoding.UTF8.GetBytes("hello"), ("echo-a", "1"), ("echo-a", "2"));
            answer.Status.ShouldBe(0);
            answer.Single.ShouldBe(Encoding.UTF8.GetBytes("hello"));
            answer.Headers.Where(field => field.Name == "echo-a").Select(field => field.Value).ShouldBe(["1", "2"]);
            answer.Trailers.Count(field => field.Name == "trail-a").ShouldBe(2);
        }

        runtime.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Messages_larger_than_every_window_pass_both_ways()
    {
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        await using var proxy = Proxy.Start(directory.File("shim.sock"), runtime.SocketPath);
        await using var caller = await RawCaller.ConnectAsync(proxy.SocketPath, new() { Record = false });
        var message = new byte[8_000_000];
        Random.Shared.NextBytes(message);
        (await caller.CallAsync("/test.Fake/Unary", message)).Single.ShouldBe(message);
        (await caller.CallAsync("/test.Fake/GzipUnary", message)).Single.ShouldBe(message);
    }

    [Fact]
    public async Task The_fake_image_service_pulls_lists_finds_and_removes()
    {
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        await using var caller = await RawCaller.ConnectAsync(runtime.SocketPath);
        var spec = ProtoFields.Field(1, ProtoFields.Field(1, "nginx:1.25"));
        var auth = ProtoFields.Field(2, ProtoFields.Message(ProtoFields.Field(1, "admin"), ProtoFields.Field(2, "passw0rd")));
        var pulled = (await caller.CallAsync("/runtime.v1.ImageService/PullImage", [.. spec, .. auth])).Single;
        runtime.CallsOf("PullImage").Single().Auth!.Username.ShouldBe("admin");
        runtime.CallsOf("PullImage").Single().Image.ShouldBe("nginx:1.25");
        var status = (await caller.CallAsync("/runtime.v1alpha2.ImageService/ImageStatus", spec)).Single;
        ProtoFields.FindText(status, 1, 1).ShouldBe(ProtoFields.FindText(pulled, 1));
        ProtoFields.FindText(status, 1, 2).ShouldBe("docker.io/library/nginx:1.25");
        (await caller.CallAsync("/runtime.v1.ImageService/RemoveImage", spec)).Single.ShouldBeEmpty();
        (await caller.CallAsync("/runtime.v1.ImageService/ListImages", [])).Single.ShouldBeEmpty();
        var unknown = await caller.CallAsync("/runtime.v1.ImageService/Nope", []);
        (unknown.Status, unknown.Message).ShouldBe((12, "unknown method Nope for service runtime.v1.ImageService"));
    }

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest")]
    [InlineData("a/b:1", "docker.io/a/b:1")]
    [InlineData("localhost:5000/a", "localhost:5000/a:latest")]
    [InlineData("r.io/a:1@sha256:00", "r.io/a@sha256:00")]
    [InlineData("a@sha256:00", "docker.io/library/a@sha256:00")]
    public void Names_are_normalised_as_containerd_does(string name, string expected) => FakeImages.Normalise(name).ShouldBe(expected);

    [Fact]
    public async Task A_cancelled_call_is_seen_by_the_runtime()
    {
        await using var runtime = FakeRuntime.Start(directory.File("cri.sock"));
        await using var caller = await RawCaller.ConnectAsync(runtime.SocketPath);
        var hang = caller.Start("/test.Fake/Hang");
        await hang.SendMessageAsync("""{"id":"a"}"""u8, end: true);
        await hang.Headers;
        hang.Cancel();
        (await caller.CallAsync("/test.Fake/Seen", """{"id":"a"}"""u8.ToArray())).Status.ShouldBe(0);
        runtime.CallsOf("Hang").Single().CancelledAt.ShouldNotBeNull();
    }
}
