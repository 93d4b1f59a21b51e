using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>With a runtime that only writes down what it is told: nothing may ask Docker Hub, whose address is what matters here.</summary>
[Trait("suite", "endtoend")]
public sealed class PullingAsGivenFromDockerHub : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("nginx:1.25")]
    [InlineData("docker.io/team/app")]
    [InlineData("index.docker.io/team/app:1")]
    public async Task A_pods_secret_is_addressed_to_where_Docker_Hub_is_pulled_from(string image)
    {
        await using var runtime = FakeRuntime.Start(_directory.File("cri.sock"));
        await using var shim = await ShimOnNode.Start(runtime.SocketPath, ""); // its offline registry is down
        foreach (var server in new[] { null, "https://index.docker.io/v1/", "docker.io" })
        {
            var pulled = await shim.Caller.Pull(image, new PodSecret("pod", Secrets.OfPod, server));

            pulled.ShouldBeOk();
            // The caller's own stream has opened one at the runtime too, which was reset before any message.
            var call = runtime.CallsOf("PullImage").Last(call => call.Requests.Count > 0);
            call.Image.ShouldBe(image);
            call.Auth.ShouldBe(new FakeAuth("pod", Secrets.OfPod, "", "https://registry-1.docker.io", "", ""));
        }
    }
}
