using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>An image that was found under another name is asked for by both names at once, and what is given first still counts first.</summary>
public sealed class AskingAhead : CriRelayTest
{
    private const string Image = "nginx:1.25";

    private static readonly TimeSpan s_later = TimeSpan.FromSeconds(3); // than anything that comes by itself

    [Fact]
    public async Task The_second_look_up_does_not_wait_for_the_first_answer()
    {
        StartCri();
        Runtime.Images.Add(AtRegistry(Image));
        var caller = await Connect();
        await FindId(caller);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var wasAsked = false;
        Runtime.On(ImageService + "ImageStatus", async call =>
        {
            var request = await call.ReadRequestAsync();
            if (FindText(request, 1, 1) != Image)
                asked.TrySetResult();
            else // it is answered when the other one has come, if that comes by itself
                wasAsked = await Task.WhenAny(asked.Task, Task.Delay(s_later)) == asked.Task;
            await Answer(call, request);
        });

        // The first time the connection may not be at hand yet: an answer goes out before what it came over is put back.
        for (var i = 0; i < 10 && !wasAsked; i++)
        {
            asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (await FindId(caller)).ShouldBe(Runtime.Images.Find(AtRegistry(Image))!.Id);
        }

        wasAsked.ShouldBeTrue();
    }

    [Fact]
    public async Task What_has_come_as_given_meanwhile_is_the_answer()
    {
        StartCri();
        Runtime.Images.Add(AtRegistry(Image));
        var caller = await Connect();
        await FindId(caller);
        var given = Runtime.Images.Add(Image);
        for (var i = 0; i < 5; i++)
            (await FindId(caller)).ShouldBe(given.Id);
        Runtime.CallsOf("ImageStatus").Count(call => call.Image == AtRegistry(Image)).ShouldBeInRange(1, 2); // once guessed, unless no connection was at hand; never again
    }

    [Fact]
    public async Task An_image_that_is_gone_is_gone()
    {
        StartCri();
        Runtime.Images.Add(AtRegistry(Image));
        var caller = await Connect();
        await FindId(caller);
        Runtime.Images.Clear();
        for (var i = 0; i < 3; i++)
            (await FindId(caller)).ShouldBe("");
    }

    [Fact]
    public async Task A_connection_that_broke_meanwhile_is_no_matter()
    {
        StartCri();
        Runtime.Images.Add(AtRegistry(Image));
        var caller = await Connect();
        await FindId(caller);
        for (var i = 0; i < 20; i++)
        {
            foreach (var connection in Runtime.Connections.Skip(1))
                connection.Abort();
            (await FindId(caller)).ShouldBe(Runtime.Images.Find(AtRegistry(Image))!.Id);
        }
    }

    [Fact]
    public async Task An_answer_that_is_not_wanted_leaves_its_connection_in_order()
    {
        StartCri();
        Runtime.Images.Add(AtRegistry(Image));
        var caller = await Connect();
        await FindId(caller);
        for (var i = 0; i < 20; i++)
        {
            var stream = caller.Start(ImageService + "ImageStatus");
            await stream.SendMessageAsync(For(Image), end: true);
            stream.Cancel(); // before or after it is answered
            (await FindId(caller)).ShouldBe(Runtime.Images.Find(AtRegistry(Image))!.Id);
        }

        // On a slow machine each took more than a moment, and is a spare.
        await Wait.Until(
            () => Runtime.Connections.Count(connection => !connection.Closed.IsCompleted) <= IdleConnections.MaxSpare + 4, "no more are kept than may be");
    }

    [Fact]
    public async Task Many_at_once_all_get_theirs()
    {
        StartCri();
        var ids = Enumerable.Range(0, 20).ToDictionary(i => $"app{i}:1", i => Runtime.Images.Add(AtRegistry($"app{i}:1")).Id);
        var caller = await Connect();
        for (var round = 0; round < 5; round++)
        {
            var found = await Task.WhenAll(ids.Select(async image => (Expected: image.Value, Found: await FindId(caller, image.Key))));
            found.ShouldAllBe(one => one.Found == one.Expected);
        }
    }

    private static async Task<string> FindId(RawCaller caller, string image = Image) =>
        FindText((await caller.CallAsync(ImageService + "ImageStatus", For(image))).Single, 1, 1);

    private Task Answer(FakeCall call, byte[] request) =>
        call.AnswerAsync(Runtime.Images.Find(FindText(request, 1, 1)) is { } found ? Field(1, found.ToMessage()) : []);
}
