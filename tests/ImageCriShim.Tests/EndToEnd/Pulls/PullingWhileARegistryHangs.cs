using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Pulls;

/// <summary>A registry that has given an image and is stopped then: it takes connections, and answers nothing.</summary>
[Collection<RealNodeTests>]
[Trait("suite", "endtoend"), Trait("suite", "node")]
public sealed class PullingWhileARegistryHangs(RealNode node)
{
    [Theory]
    [InlineData("1.7")]
    [InlineData("2")]
    public async Task Once_it_is_set_aside_what_it_gave_comes_from_the_next_one_and_when_it_is_back_from_it_again(string containerd)
    {
        await using var scene = await Scene.Start(node, containerd, "");
        var other = node.NewName();
        await scene.Mirror.Push(other);
        scene.Stop();
        (await scene.Pull(other)).ShouldBeOk();
        scene.Shim.Process.ShouldSay("is set aside: no answer within 1 s");
        await scene.Shim.Caller.Remove(scene.Name);

        (await scene.Pull()).ShouldBeOk();
        scene.CameFrom(scene.MirrorDoor).ShouldBeTrue();

        scene.Continue();
        await Wait.Until(() => scene.Shim.Process.Output.Contains("is back after"), "it is back");
        await scene.Shim.Caller.Remove(scene.Name);
        scene.Forget();
        (await scene.Pull()).ShouldBeOk();
        (scene.CameFrom(scene.Hub), scene.CameFrom(scene.MirrorDoor)).ShouldBe((true, false));
    }

    [Theory]
    [InlineData("1.7")]
    [InlineData("2")]
    public async Task A_pull_that_is_the_first_to_notice_leaves_it_for_the_next_one(string containerd)
    {
        await using var scene = await Scene.Start(node, containerd, "");
        await scene.Shim.Caller.Remove(scene.Name);
        scene.Stop();

        (await scene.Pull()).ShouldBeOk();

        scene.CameFrom(scene.MirrorDoor).ShouldBeTrue();
        scene.Shim.Process.ShouldSay($"the pull of {scene.Name} as {scene.Hub.Host}/{scene.Name} is ended");
        (await scene.Shim.Caller.FindId(scene.Name)).ShouldBe(scene.Image.Id);
    }

    [Theory]
    [InlineData("1.7")]
    [InlineData("2")]
    public async Task Where_no_other_is_there_the_image_on_the_node_is_the_answer(string containerd)
    {
        await using var scene = await Scene.Start(node, containerd, "offlineOnly: true");
        await scene.MirrorDoor.Shut();
        scene.Stop();

        var pulled = await scene.Pull();

        pulled.ShouldBeOk();
        pulled.ImageRef.ShouldBe(scene.Image.Id);
        scene.Shim.Process.ShouldSay($"no registry can be reached: {scene.Name} is answered with the image that is on the node");
    }

    /// <summary>A registry that can be stopped, another one that has the same image, and a shim that has pulled it from the first.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1); // far below the timeout, which a pull that hangs waits for

        private readonly LabRegistry _registry;
        private readonly int[] _seen = new int[2];

        private Scene(LabRegistry registry, RealNode node) =>
            (_registry, Hub, Mirror, MirrorDoor, Name) =
                (registry, node.OpenDoor(registry), node.Another, node.OpenDoor(node.Another), node.NewName());

        internal Door Hub { get; }

        internal LabRegistry Mirror { get; }

        internal Door MirrorDoor { get; }

        internal string Name { get; }

        internal TestImage Image { get; private set; } = null!;

        internal ShimOnNode Shim { get; private set; } = null!;

        internal static async Task<Scene> Start(RealNode node, string containerd, string more)
        {
            var scene = new Scene(await node.StartRegistry(), node);
            scene.Image = await scene._registry.Push(scene.Name);
            await scene.Mirror.Push(scene.Name, scene.Image);
            scene.Shim = await node.StartShim(containerd, $$"""
                address: {{scene.Hub.Address}}
                probeTimeout: 1s
                registries:
                - { address: "{{scene.MirrorDoor.Address}}", auth: "{{scene.Mirror.Auth}}" }
                {{more}}
                """);
            (await scene.Pull()).ShouldBeOk();
            scene.CameFrom(scene.Hub).ShouldBeTrue();
            scene.Forget();
            return scene;
        }

        internal Task<PullAnswer> Pull(string? image = null) =>
            Shim.Caller.Pull(image ?? Name).WaitAsync(s_patience, TestContext.Current.CancellationToken);

        internal void Stop() => Processes.Signal(_registry.Pid, Processes.SigStop);

        internal void Continue() => Processes.Signal(_registry.Pid, Processes.SigCont);

        /// <summary>Whether the runtime has got the image's manifest there since the last <see cref="Forget"/>.</summary>
        internal bool CameFrom(Door door) => Of(door).Skip(_seen[door == Hub ? 0 : 1]).Any();

        internal void Forget() => (_seen[0], _seen[1]) = (Of(Hub).Count(), Of(MirrorDoor).Count());

        public async ValueTask DisposeAsync()
        {
            Continue();
            await Shim.DisposeAsync();
            await Hub.DisposeAsync();
            await MirrorDoor.DisposeAsync();
        }

        private IEnumerable<DoorRequest> Of(Door door) =>
            door.Requests.Where(request => request is { IsFromRuntime: true, IsManifest: true } && request.Path.Contains(Name.Split(':')[0] + "/"));
    }
}
