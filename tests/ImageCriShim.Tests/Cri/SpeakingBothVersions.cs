using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>A caller of either version of CRI on a runtime of either.</summary>
public sealed class SpeakingBothVersions : NamesTest
{
    private const string V1 = "v1", V1Alpha2 = "v1alpha2";

    private static readonly string[] s_imageMethods = ["ImageStatus", "ListImages", "StreamImages", "PullImage", "RemoveImage", "ImageFsInfo"];

    [Theory]
    [InlineData(V1, V1)]
    [InlineData(V1, V1Alpha2)]
    [InlineData(V1Alpha2, V1)]
    [InlineData(V1Alpha2, V1Alpha2)]
    [InlineData(V1, "v1 v1alpha2")]
    [InlineData(V1Alpha2, "v1 v1alpha2")]
    public async Task A_call_that_is_forwarded_comes_to_the_runtime_in_the_version_that_it_has(string caller, string runtime)
    {
        await StartOn(runtime);
        var answer = await Call(caller, "RuntimeService/Version", Field(1, "0.1.0"));
        answer.Status.ShouldBe(0, answer.Message);
        FindText(answer.Single, 4).ShouldBe(runtime.Contains(' ') ? caller : runtime);
        (await Call(caller, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
        (await Caller.CallAsync("/test.Fake/Unary", [1, 2])).Single.ShouldBe([1, 2]); // of another service
    }

    [Theory]
    [InlineData(V1, V1)]
    [InlineData(V1, V1Alpha2)]
    [InlineData(V1Alpha2, V1)]
    [InlineData(V1Alpha2, V1Alpha2)]
    public async Task So_does_one_that_is_edited_with_all_that_we_ask_on_its_behalf(string caller, string runtime)
    {
        First.Add("library/nginx", "1");
        await StartOn(runtime);
        CanPull(AtFirst("nginx:1"));
        var version = $"/runtime.{runtime}.RuntimeService/";
        Runtime.On(version + "CreateContainer", async call => await call.AnswerAsync(await call.ReadRequestAsync()));
        Answer(version + "ContainerStatus", Field(1, Field(8, Field(1, AtFirst("nginx:1")))));
        var spec = Field(1, Field(1, "nginx:1"));

        var id = FindText((await Call(caller, "ImageService/PullImage", spec)).Single, 1);
        FindText((await Call(caller, "ImageService/ImageStatus", spec)).Single, 1, 1).ShouldBe(id);
        NamesOf(Images((await Call(caller, "ImageService/ListImages")).Single).Single())[0].ShouldBe("docker.io/library/nginx:1");
        FindText((await Call(caller, "ImageService/ListImages", Filter("nginx:1"))).Single, 1, 1).ShouldBe(id);
        FindText((await Call(caller, "RuntimeService/CreateContainer", Field(2, Field(2, Field(1, "nginx:1"))))).Single, 2, 2, 1).ShouldBe(AtFirst("nginx:1"));
        FindText((await Call(caller, "RuntimeService/ContainerStatus")).Single, 1, 8, 1).ShouldBe("docker.io/library/nginx:1");
        (await Call(caller, "ImageService/RemoveImage", spec)).Status.ShouldBe(0);

        Runtime.Images.All.ShouldBeEmpty();
        Runtime.Calls.Where(call => !call.Path.EndsWith("/Version", StringComparison.Ordinal))
            .ShouldAllBe(call => call.Path.StartsWith($"/runtime.{runtime}.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(V1, V1Alpha2, "Exec")]
    [InlineData(V1Alpha2, V1, "Exec")]
    public async Task Streams_both_ways_are_forwarded_in_the_runtimes_version(string caller, string runtime, string method)
    {
        await StartOn(runtime);
        Runtime.On($"/runtime.{runtime}.RuntimeService/{method}", async call =>
        {
            call.SendHeaders(("echoed", call.Find("to-echo")!));
            while (await call.ReadAsync() is { } message)
            {
                await call.SendAsync(message);
                await call.SendAsync([9, .. message]);
            }

            call.Finish(("trailing", "too"));
        });
        var stream = Caller.Start($"/runtime.{caller}.RuntimeService/{method}", ("to-echo", "told"));
        for (byte i = 0; i < 5; i++)
        {
            await stream.SendMessageAsync([i]);
            (await stream.ReadMessageAsync())!.Bytes.ShouldBe([i]);
            (await stream.ReadMessageAsync())!.Bytes.ShouldBe([9, i]);
        }

        stream.HalfClose();
        var answer = await stream.ReadAnswerAsync();
        answer.Status.ShouldBe(0);
        answer.Headers.ShouldContain(("echoed", "told"));
        answer.Trailers.ShouldContain(("trailing", "too"));
    }

    [Theory]
    [InlineData(V1Alpha2, V1, "ImageService/StreamImages")]
    [InlineData(V1Alpha2, V1, "RuntimeService/GetContainerEvents")]
    [InlineData(V1Alpha2, V1, "RuntimeService/NobodyKnows")]
    [InlineData(V1, V1Alpha2, "ImageService/StreamImages")]
    [InlineData(V1, V1Alpha2, "RuntimeService/GetContainerEvents")]
    public async Task What_only_the_other_version_has_the_runtime_itself_says_that_it_has_not(string caller, string runtime, string method)
    {
        await StartOn(runtime);
        var answer = await Call(caller, method);
        answer.Status.ShouldBe(12);
        answer.Message.ShouldStartWith("unknown ");
    }

    [Fact]
    public async Task On_a_runtime_that_has_neither_nothing_is_renamed()
    {
        await StartOn("");
        (await Call(V1, "ImageService/ImageFsInfo")).Message.ShouldBe("unknown service runtime.v1.ImageService");
        (await Call(V1Alpha2, "ImageService/ImageStatus", Field(1, Field(1, "nginx"))))
            .Message.ShouldBe("unknown service runtime.v1alpha2.ImageService");
    }

    [Theory]
    [InlineData(V1)]
    [InlineData(V1Alpha2)]
    public async Task A_version_that_is_fixed_is_not_found_out_and_is_spoken_to_every_caller(string version)
    {
        KeepState(isNew: false);
        await Start(adjust: settings => settings with { Version = version == V1 ? CriVersion.V1 : CriVersion.V1Alpha2 });
        foreach (var caller in (string[])[V1, V1Alpha2])
            FindText((await Call(caller, "RuntimeService/Version")).Single, 4).ShouldBe(version);
        Runtime.CallsOf("Version").Count().ShouldBe(3); // and once for the runtime's name
    }

    [Fact]
    public async Task A_runtime_that_restarts_into_another_version_is_found_out_by_the_next_connection()
    {
        await StartOn(V1);
        (await Call(V1, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
        foreach (var version in (string[])[V1Alpha2, V1, "v1 v1alpha2", V1Alpha2])
        {
            await Runtime.DisposeAsync();
            StartRuntime();
            Speak(version);
            await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
            (await caller.CallAsync("/runtime.v1.ImageService/ImageFsInfo", [])).Status.ShouldBe(0, version);
            FindText((await caller.CallAsync("/runtime.v1.ImageService/ImageStatus", Field(1, Field(1, Runtime.Images.Add("elsewhere.local/x:1").Id)))).Single, 1, 1)
                .ShouldNotBeEmpty(version);
        }
    }

    [Theory]
    [InlineData(2, "no")]
    [InlineData(13, "no")]
    [InlineData(7, "no")]
    public async Task A_runtime_whose_version_is_an_error_has_it(int status, string text)
    {
        KeepState(isNew: false);
        Speak(V1);
        Runtime.On("/runtime.v1.RuntimeService/Version", call =>
        {
            call.Fail(status, text);
            return Task.CompletedTask;
        });
        await Start();
        (await Call(V1Alpha2, "RuntimeService/Version")).Message.ShouldBe(text);
        (await Call(V1Alpha2, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
    }

    [Theory]
    [InlineData(2)] // containerd 1.6 and 1.7
    [InlineData(14)] // 2.x
    public async Task A_runtime_that_is_not_initialized_yet_gets_no_call_until_it_is(int status)
    {
        KeepState(isNew: false);
        Speak(V1);
        var asked = 0;
        Task Answer(FakeCall call)
        {
            if (asked > 5)
                return call.AnswerAsync([]);
            call.Fail(status, "server is not initialized yet");
            return Task.CompletedTask;
        }

        Runtime.On("/runtime.v1.ImageService/ImageFsInfo", Answer);
        Runtime.On("/runtime.v1.RuntimeService/Version", call =>
        {
            asked++;
            return Answer(call);
        });
        await Start();
        (await Call(V1, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
    }

    [Fact]
    public async Task A_runtime_that_says_that_it_is_unavailable_gets_calls_as_they_come()
    {
        KeepState(isNew: false);
        foreach (var version in (string[])[V1, V1Alpha2])
            Runtime.On($"/runtime.{version}.RuntimeService/Version", call =>
            {
                call.Fail(14, "starting");
                return Task.CompletedTask;
            });
        await Start();
        (await Call(V1, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
        (await Call(V1Alpha2, "ImageService/ImageFsInfo")).Status.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_runtime_that_hangs_loses_no_caller_that_waits_and_lets_go_of_one_that_leaves(bool hasSpoken)
    {
        KeepState(isNew: false);
        Speak(V1);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Runtime.On("/runtime.v1.RuntimeService/Version", async call =>
        {
            await release.Task.WaitAsync(call.Cancelled);
            await call.AnswerAsync(Field(4, V1));
        });
        await Start();
        var waiting = Call(V1Alpha2, "ImageService/ImageFsInfo");
        using (var leaving = ConnectBare())
        {
            if (hasSpoken)
                leaving.Send(RawConnection.Preface);
            await Wait.Until(() => Runtime.CallsOf("Version").Count() == 2);
        }

        await Wait.Until(() => Listener.Connections == 1, "the one that left is let go of");
        await Caller.Connection.WaitForFrame(FrameType.Settings); // ours, so that the caller stays and sends its call
        waiting.IsCompleted.ShouldBeFalse();
        release.SetResult();
        (await waiting).Status.ShouldBe(0);
    }

    [Theory]
    [InlineData(V1)]
    [InlineData(V1Alpha2)]
    public async Task Headers_of_every_later_call_of_the_connection_come_through(string runtime)
    {
        await StartOn(runtime);
        var renamed = runtime == V1 ? V1Alpha2 : V1;
        var caller = await Connect(new RawOptions { Encoder = RawOptions.Indexing });
        string[] services = [$"runtime.{renamed}.ImageService/ImageFsInfo", "test.Fake/Unary", $"runtime.{runtime}.ImageService/ImageFsInfo", $"runtime.{renamed}.ImageService/ListImages"];
        for (var i = 0; i < 40; i++)
        {
            var path = "/" + services[i < 3 ? 1 : i % services.Length]; // some are forwarded unread before the first that is renamed
            Header[] metadata = [("x-number", $"{i}"), ("x-same", "again and again"), ("x-long", new string('l', i * 20))];
            (await caller.CallAsync(path, [], metadata)).Status.ShouldBe(0);
            var seen = Runtime.Calls.Single(call => call.Find("x-number") == $"{i}");
            seen.Headers.ShouldBe(caller.RequestHeaders(path.Replace($".{renamed}.", $".{runtime}."), metadata), path);
        }
    }

    private async Task StartOn(string versions)
    {
        KeepState(isNew: false);
        Speak(versions);
        await Start();
    }

    private void Speak(string versions)
    {
        foreach (var version in new[] { V1, V1Alpha2 }.Except(versions.Split(' ')))
        {
            Runtime.Off($"/runtime.{version}.RuntimeService/Version");
            Array.ForEach(s_imageMethods, method => Runtime.Off($"/runtime.{version}.ImageService/{method}"));
        }
    }

    private Task<RawAnswer> Call(string version, string method, byte[]? message = null) =>
        Caller.CallAsync($"/runtime.{version}.{method}", message ?? []);
}
