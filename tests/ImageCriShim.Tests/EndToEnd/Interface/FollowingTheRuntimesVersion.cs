using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>With runtimes that have a method in one version alone, as old and new ones have all of theirs.</summary>
[Trait("suite", "endtoend")]
public sealed class FollowingTheRuntimesVersion : IDisposable
{
    private static readonly byte[] s_request = Field(1, Message(Field(1, "pod"), Field(1000, "unknown")));

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("v1", "v1alpha2")]
    [InlineData("v1alpha2", "v1")]
    public async Task A_runtime_of_the_other_version_in_its_place_is_found_out(string before, string after)
    {
        await using var shim = await StartShim("");
        await using (StartRuntime(before))
            foreach (var version in new[] { "v1", "v1alpha2" })
                (await Call(shim, version)).ShouldBe(before);

        await using (StartRuntime(after))
            foreach (var version in new[] { "v1", "v1alpha2" })
                (await Call(shim, version)).ShouldBe(after);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha2")]
    public async Task A_setting_fixes_it(string version)
    {
        await using var shim = await StartShim($"version: {version}");
        await using var runtime = StartRuntime("v1", "v1alpha2");

        foreach (var callers in new[] { "v1", "v1alpha2" })
            (await Call(shim, callers)).ShouldBe(version);
    }

    [Fact]
    public async Task A_runtime_of_both_is_called_as_its_caller_calls()
    {
        await using var shim = await StartShim("");
        await using var runtime = StartRuntime("v1", "v1alpha2");

        foreach (var version in new[] { "v1", "v1alpha2" })
            (await Call(shim, version)).ShouldBe(version);
    }

    private Task<ShimProcess> StartShim(string yaml) => ShimProcess.StartAsync(_directory, _directory.File("cri.sock"), $"force: true\n{yaml}");

    /// <summary>Its sandboxes are named after the version in which they were asked for.</summary>
    private FakeRuntime StartRuntime(params string[] versions)
    {
        var runtime = FakeRuntime.Start(_directory.File("cri.sock"));
        foreach (var version in new[] { "v1", "v1alpha2" })
        {
            if (versions.Contains(version))
            {
                runtime.On($"/runtime.{version}.RuntimeService/RunPodSandbox", async call =>
                {
                    (await call.ReadRequestAsync()).ShouldBe(s_request);
                    await call.AnswerAsync(Field(1, version));
                });
                continue;
            }

            foreach (var method in new[] { "ImageStatus", "PullImage", "RemoveImage", "ListImages", "ImageFsInfo", "StreamImages" })
                runtime.Off($"/runtime.{version}.ImageService/{method}");
            runtime.Off($"/runtime.{version}.RuntimeService/Version");
        }

        return runtime;
    }

    private static async Task<string> Call(ShimProcess shim, string version)
    {
        await using var caller = await RawCaller.ConnectAsync(shim.SocketPath);
        var answer = await caller.CallAsync($"/runtime.{version}.RuntimeService/RunPodSandbox", s_request);
        answer.Status.ShouldBe(0, answer.Message);
        return FindText(answer.Single, 1);
    }
}
