using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>What callers are shown of images that came by other names.</summary>
public abstract class NamesTest : PullTest
{
    protected NamesTest() => Prepare();

    /// <summary>A state directory, so that each connection begins as it does in the daemon.</summary>
    /// <param name="isNew">It is the first start.</param>
    private protected void KeepState(bool isNew)
    {
        var directory = Path.Combine(Path.GetDirectoryName(RuntimeSocketPath)!, "state");
        if (!isNew)
        {
            using var before = NodeState.Open(directory, Log, RawConnection.Patience);
            before.Begin();
        }

        State = NodeState.Open(directory, Log, RawConnection.Patience);
        AtEnd(new Ending(State));
    }

    /// <summary>What an image of Docker Hub is called at the first registry.</summary>
    private protected string AtFirst(string image) => $"{First.Host}/library/{image}";

    /// <summary>An image on the node that was pulled, for that given name, by another.</summary>
    private protected FakeImage Pulled(string given, string actual, FakeImage? image = null)
    {
        image ??= Runtime.Images.Add(actual);
        Runtime.Images.Add(image);
        Record.Add(new RecordedPull(given, actual, actual[..actual.IndexOf('/')], image.Id, Time.GetUtcNow(), PulledWith.NodesOwn));
        return image;
    }

    /// <summary>
    /// The runtime answers that method so, once it has the request, as real ones do: an answer that comes before is a refusal, and nobody edits it.
    /// </summary>
    private protected void Answer(string path, byte[] message) => Runtime.On(path, async call =>
    {
        await call.Stream.ReadMessageAsync();
        await call.Stream.ReadMessageAsync(); // to its end
        await call.AnswerAsync(message);
    });

    private protected async Task<List<byte[]>> List(string filter = "") =>
        Images((await Caller.CallAsync(ImageService + "ListImages", Filter(filter))).Single);

    private protected async Task<List<byte[]>> Stream(string filter = "")
    {
        var answer = await Caller.CallAsync(ImageService + "StreamImages", Filter(filter));
        answer.Status.ShouldBe(0, answer.Message);
        return [.. answer.Messages.Select(message => Images(message.Content).ShouldHaveSingleItem())];
    }

    private protected async Task<byte[]> Status(string image) =>
        Images((await Caller.CallAsync(ImageService + "ImageStatus", Field(1, Field(1, image)))).Single).ShouldHaveSingleItem();

    /// <summary>The names of an image, those with tags first.</summary>
    private protected static string[] NamesOf(byte[] image) =>
        [.. Read(image).Where(field => field.Number is 2 or 3).OrderBy(field => field.Number).Select(field => field.Text)];

    /// <summary>The field 1 of each of a list: images of an answer.</summary>
    private protected static List<byte[]> Images(byte[] response) =>
        [.. Read(response).Where(field => field is { Number: 1, WireType: 2 }).Select(field => field.Bytes)];

    private protected static byte[] Filter(string image) => image.Length == 0 ? [] : Field(1, Field(1, Field(1, image)));

    private protected static string Digest(char hex) => "sha256:" + new string(hex, 64);
}
