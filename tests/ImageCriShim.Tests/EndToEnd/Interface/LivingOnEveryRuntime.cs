using ImageCriShim.Images;
using ImageCriShim.Tests.Cri;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Node;
using static ImageCriShim.Tests.Fakes.ProtoFields;
using GrpcCode = ImageCriShim.Tests.Node.GrpcCode;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>kubelet's life of images on runtimes that cannot be had here: fakes that do what CRI-O 1.36 and docker behind cri-dockerd 0.4.3 were seen to do.</summary>
[Trait("suite", "endtoend")]
public sealed class LivingOnEveryRuntime : IAsyncDisposable
{
    private const string Nginx = "docker.io/library/nginx";

    private readonly TempDirectory _directory = new();
    private readonly FakeRegistry _registry = FakeRegistry.Start();
    private readonly FakeRuntime _runtime;

    public LivingOnEveryRuntime()
    {
        _runtime = FakeRuntime.Start(_directory.File("cri.sock"));
        _registry.Add("library/nginx", "1.25");
    }

    public static TheoryData<string> Runtimes => OnEachRuntimeTest.Runtimes;

    public async ValueTask DisposeAsync()
    {
        await _runtime.DisposeAsync();
        await _registry.DisposeAsync();
        _directory.Dispose();
        _runtime.Faults.ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task An_image_is_absent_pulled_found_listed_used_and_removed(string runtime)
    {
        _runtime.Become(OnEachRuntimeTest.New(runtime));
        await using var shim = await Start();
        await using var caller = await CriCaller.Connect(shim.SocketPath);

        (await caller.FindId("nginx:1.25")).ShouldBeNull();
        (await caller.Pull("nginx:1.25")).ShouldBeOk();
        var image = (await caller.FindImage("nginx:1.25"))!;

        var digest = image.Digests[0][image.Digests[0].IndexOf('@')..];
        image.ShouldBeNamed([Written($"{Nginx}:1.25")], [Written(Nginx + digest)]);
        foreach (var seen in new[] { (await caller.ListImages()).Single(), (await caller.FindImage(image.Id))! })
            seen.ShouldBeNamed(image.Tags, image.Digests);
        _runtime.On("/runtime.v1.RuntimeService/CreateContainer", async call =>
            await call.AnswerAsync(Field(1, _runtime.Images.Find(FindText(await call.ReadRequestAsync(), 2, 2, 1))!.Id)));
        (await caller.CreateContainer("pod", "by-name", "nginx:1.25")).ShouldBe(image.Id);

        foreach (var name in new[] { "nginx:1.25", $"{_registry.Host}/library/nginx:1.25", $"nginx{digest}", $"nginx:1.25{digest}", image.Id })
        {
            await caller.Remove(name);
            _runtime.Images.All.ShouldBeEmpty(name);
            (await caller.FindId("nginx:1.25")).ShouldBeNull(name);
            (await caller.Pull("nginx:1.25")).ShouldBeOk();
        }

        shim.ShouldNotHaveComplained();
    }

    [Theory, MemberData(nameof(Runtimes))]
    public async Task What_was_pulled_is_known_by_its_name_after_a_restart(string runtime)
    {
        _runtime.Become(OnEachRuntimeTest.New(runtime));
        await using (var shim = await Start())
        {
            await using var before = await CriCaller.Connect(shim.SocketPath);
            (await before.Pull("nginx:1.25")).ShouldBeOk();
        }

        await using var again = await Start();
        await using var caller = await CriCaller.Connect(again.SocketPath);
        (await caller.ListImages()).Single().Tags.ShouldBe([Written($"{Nginx}:1.25")]);
        (await caller.FindImage("nginx:1.25"))!.Tags.ShouldBe([Written($"{Nginx}:1.25")]);
    }

    [Fact]
    public async Task A_signature_that_CRI_O_refuses_is_told_as_kubelet_looks_for_it()
    {
        _runtime.Become(new CrioImages());
        _runtime.Images.FailPulls[$"{_registry.Host}/library/nginx:1.25"] =
            (2, "SignatureValidationFailed: unable to pull image or OCI artifact: pull image err: copying system image from manifest list: Source image rejected: no");
        await using var shim = await Start();
        await using var caller = await CriCaller.Connect(shim.SocketPath);

        var pulled = await caller.Pull("nginx:1.25");

        pulled.Code.ShouldBe(GrpcCode.Unknown);
        pulled.Message.ShouldStartWith("SignatureValidationFailed: image nginx:1.25 could not be pulled: ");
        pulled.Message.ShouldContain("Source image rejected");
    }

    private Task<ShimProcess> Start() => ShimProcess.StartAsync(_directory, _runtime.SocketPath, $"address: {_registry.Address}");

    private string Written(string name) => _runtime.Images is DockerImages ? FamiliarName.Of(name).ToString() : name;
}
