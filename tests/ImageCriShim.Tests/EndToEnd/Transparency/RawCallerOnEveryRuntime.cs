using System.Text.Json;
using System.Text.Json.Nodes;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.EndToEnd.Transparency;

/// <summary>The raw caller on runtimes that are not ours: their headers, trailers and messages as they are on the wire, decoded.</summary>
[Trait("suite", "endtoend")]
public sealed class RawCallerOnEveryRuntime
{
    private static readonly string[] Paths =
    [
        "/runtime.v1.RuntimeService/Version", "/runtime.v1alpha2.RuntimeService/Version", "/runtime.v1.RuntimeService/FromTheFuture",
        "/runtime.v1.ImageService/ListImages",
        "/grpc.health.v1.Health/Check", "/made.up/Call",
    ];

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    [InlineData("containerd")]
    public async Task Gets_the_same_answers_through_the_shim(string runtime)
    {
        using var directory = new TempDirectory();
        var (socket, stop) = await Comparison.StartRuntimeAsync(directory, runtime, "calls");
        await using (stop)
        {
            await using var shim = await ShimProcess.StartAsync(directory, socket);
            foreach (var authority in (string[])["localhost", "/run/x.sock", "%2Frun%2Fx.sock"])
            {
                foreach (var encoder in (Func<Func<IEnumerable<Header>, byte[]>>[])[new RawOptions().Encoder, RawOptions.Indexing])
                {
                    var direct = await AskAsync(socket, authority, encoder);
                    var through = await AskAsync(shim.SocketPath, authority, encoder);
                    Difference.Of(direct, through).ShouldBeEmpty($"with :authority {authority}");
                    if (authority == "localhost") direct[0]!["Trailers"]!.ToJsonString().ShouldContain("grpc-status: 0");
                }
            }
        }
    }

    private static async Task<JsonNode> AskAsync(string socketPath, string authority, Func<Func<IEnumerable<Header>, byte[]>> encoder)
    {
        await using var caller = await RawCaller.ConnectAsync(socketPath, new() { Encoder = encoder }, authority);
        var answers = new JsonArray();
        foreach (var path in Paths)
        {
            try
            {
                var answer = await caller.CallAsync(path, [], ("traceparent", "00-01-02-03"), ("x-bin", "AAE"), ("x-bin", "/w"));
                answers.Add(JsonSerializer.SerializeToNode(new
                {
                    path,
                    Headers = Shown(answer.Headers),
                    answer.Messages,
                    Trailers = Shown(answer.Trailers),
                }));
            }
            catch (StreamResetException reset) // Node's HTTP/2 takes a path for no authority
            {
                answers.Add($"{path}: {reset.Message}");
            }
        }

        return answers;
    }

    private static string[] Shown(IReadOnlyList<Header> fields) =>
        [.. fields.Select(field => field.Name == "date" ? "date" : field.ToString())];
}
