using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>StreamImages, which kubelet has from 1.36 on and no released runtime yet: it shows what ListImages shows.</summary>
[Trait("suite", "endtoend")]
public sealed class NamingStreamedImages : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Each_image_of_the_stream_is_as_in_the_list()
    {
        await using var registry = FakeRegistry.Start();
        await using var runtime = FakeRuntime.Start(_directory.File("cri.sock"));
        for (var i = 0; i < 300; i++)
            runtime.Images.Add($"elsewhere.test/team/other{i}:1.0");
        await using var shim = await ShimProcess.StartAsync(_directory, runtime.SocketPath, $"address: {registry.Address}");
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        registry.Add("team/app", "1.0");
        (await caller.CallAsync("/runtime.v1.ImageService/PullImage", Field(1, Field(1, "team/app:1.0")))).Status.ShouldBe(0);
        runtime.Images.Find($"{registry.Host}/team/app:1.0").ShouldNotBeNull();

        var listed = (await caller.CallAsync("/runtime.v1.ImageService/ListImages", [])).Single;
        var streamed = await caller.CallAsync("/runtime.v1.ImageService/StreamImages", []);
        var filtered = await caller.CallAsync("/runtime.v1.ImageService/StreamImages", Field(1, Field(1, Field(1, "team/app:1.0"))));

        streamed.Status.ShouldBe(0, streamed.Message);
        streamed.Messages.Count.ShouldBe(301);
        Texts(Message([.. streamed.Messages.Select(message => message.Content)])).ShouldBe(Texts(listed));
        Texts(listed).ShouldContain(text => text.Contains("docker.io/team/app:1.0"));
        Texts(listed).ShouldNotContain(text => text.Contains(registry.Host));
        Texts(filtered.Single).Single().ShouldContain("docker.io/team/app:1.0");
    }

    private static string[] Texts(byte[] images) => [.. Read(images).Select(image => image.Text)];
}
