using System.Text.Json.Nodes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Fakes;

/// <summary>The runtimes of tests/peers keep one contract, whatever their stack.</summary>
[Trait("suite", "node")]
public sealed class PeerRuntimesTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task On_grpc_go_images_are_pulled_found_listed_and_removed_as_on_the_C_core() =>
        (await LifeOfImages(Stack.Go)).ShouldBe(await LifeOfImages(Stack.Python));

    private async Task<string[]> LifeOfImages(Stack stack)
    {
        await using var runtime = await PeerRuntime.StartAsync(stack, _directory.File($"{stack}.sock"));
        await using var caller = await RawCaller.ConnectAsync(runtime.SocketPath);
        var seen = new List<string>();
        async Task Call(string method, byte[] request)
        {
            var answer = await caller.CallAsync(method, request);
            seen.Add($"{method}: {answer.Status} {answer.Message} {string.Join(' ', answer.Messages.Select(Hex))}");
        }

        var auth = Field(2, Message(Field(1, "admin"), Field(2, "passw0rd"), Field(4, "r.io")));
        string[] names = ["nginx", "nginx:1.25", "r.io/a/b:1", "r.io/a@sha256:00", "localhost/x", "r.io:5000/a:1@sha256:11"];
        foreach (var name in names) await Call("/runtime.v1.ImageService/PullImage", [.. Spec(name), .. auth]);
        foreach (var name in names) await Call("/runtime.v1alpha2.ImageService/ImageStatus", Spec(name));
        await Call("/runtime.v1.ImageService/ListImages", []);
        await Call("/runtime.v1.ImageService/ListImages", Field(1, Spec("docker.io/library/nginx:latest")));
        await Call("/runtime.v1.ImageService/RemoveImage", Spec("nginx"));
        await Call("/runtime.v1.ImageService/ImageStatus", Spec("nginx"));
        await Call("/test.Fake/Control", """{"op":"fail_pull","image":"no:1","code":5,"message":"not there"}"""u8.ToArray());
        await Call("/runtime.v1.ImageService/PullImage", Spec("no:1"));
        await Call("/test.Fake/Control",
            """{"op":"images","set":[{"id":"sha256:abcdef01","tags":["r.io/z:1"],"digests":[],"size":7}]}"""u8.ToArray());
        await Call("/runtime.v1.ImageService/ImageStatus", Spec("abcdef0"));
        await Call("/test.Fake/Control", """{"op":"delay_pull","seconds":0.01}"""u8.ToArray());
        await Call("/runtime.v1.ImageService/PullImage", Spec("late:1"));
        var noted = JsonNode.Parse((await caller.CallAsync("/test.Fake/Control", """{"op":"calls"}"""u8.ToArray())).Single)!.AsArray();
        seen.AddRange(noted.Select(call => $"{call!["method"]} {call["request"]} {call["image"]} {call["auth"]?.ToJsonString()}"));
        await Call("/test.Fake/Control", """{"op":"reset"}"""u8.ToArray());
        await Call("/runtime.v1.ImageService/ListImages", []);
        return [.. seen];
    }

    private static string Hex(GrpcMessage message) => Convert.ToHexStringLower(message.Content);

    private static byte[] Spec(string image) => Field(1, Field(1, image));
}
