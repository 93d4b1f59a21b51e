using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>With a runtime that keeps what it is sent: of a call that is edited only the image's name is another one.</summary>
[Trait("suite", "endtoend")]
public sealed class EditingNothingElse : IDisposable
{
    private const string Given = "team/app:1.0";
    private const string Images = "ImageService";
    private const string Runtime = "RuntimeService";

    /// <summary>And where in its request the image is.</summary>
    private static readonly (string Service, string Method, int[] Path)[] s_calls =
    [
        (Images, "ImageStatus", [1]), (Images, "ListImages", [1, 1]),
        (Runtime, "CreateContainer", [2, 2]), (Runtime, "CreateContainer", [2, 7, 9]),
        (Images, "RemoveImage", [1]),
    ];

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Annotations_handler_what_the_user_wrote_and_unknown_fields_arrive()
    {
        const string host = "127.0.0.1:1"; // looking on the node takes no registry
        await using var runtime = FakeRuntime.Start(_directory.File("cri.sock"));
        runtime.On($"/runtime.v1.{Runtime}/CreateContainer", async call =>
        {
            await call.ReadRequestAsync();
            await call.AnswerAsync(Field(1, "container"));
        });
        await using var shim = await ShimProcess.StartAsync(_directory, runtime.SocketPath, $"address: http://{host}");
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        foreach (var (service, method, path) in s_calls)
        {
            runtime.Images.Add($"{host}/{Given}");

            var answer = await caller.CallAsync($"/runtime.v1.{service}/{method}", Request(Given, path));

            answer.Status.ShouldBe(0, answer.Message);
            var arrived = runtime.CallsOf(method).SelectMany(call => call.Requests).Last(request => FindText(request, [.. path, 1]) != Given);
            Shape(arrived, path).ShouldBe(Shape(Request($"{host}/{Given}", path), path), method);
        }
    }

    /// <summary>An ImageSpec with everything in it, at a path of messages that have something else in them too.</summary>
    private static byte[] Request(string image, ReadOnlySpan<int> path)
    {
        var message = Message(
            Field(1, image),
            Field(2, Message(Field(1, "example.com/note"), Field(2, "kept"))),
            Field(18, "what the user wrote"),
            Field(19, "kata"),
            Field(20, "sha256:of-an-image-volume"),
            Field(1000, "unknown"));
        for (var i = path.Length - 1; i >= 0; i--)
            message = Message(Field(path[i], message), Field(1001, 7), Field(1002, "unknown, too"));
        return message;
    }

    /// <summary>A message as its fields, in no order; opened on that path.</summary>
    private static string[] Shape(byte[] message, int[] path) =>
    [
        .. Read(message).SelectMany(field => path is [var next, .. var rest] && field.Number == next
            ? Shape(field.Bytes, rest).Select(inner => $"{next}/{inner}")
            : [$"{field.Number}={field.Value}{field.Text}"]).Order(StringComparer.Ordinal),
    ];
}
