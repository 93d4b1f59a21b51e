using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Rewriting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

/// <summary>The same expectations on containerd, on CRI-O and on docker: what they do otherwise than each other is nothing that a caller notices.</summary>
public abstract class OnEachRuntimeTest : NamesTest
{
    protected const string Containerd = "containerd", Crio = "CRI-O", Docker = "docker";

    private protected const string Nginx = "docker.io/library/nginx";
    private protected const string CreateContainer = "/runtime.v1.RuntimeService/CreateContainer";

    public static TheoryData<string> Runtimes => [Containerd, Crio, Docker];

    /// <summary>The image service in front of which the shim stands, with two images of Docker Hub at the first registry.</summary>
    private protected async Task StartOn(string runtime, Func<ShimSettings, ShimSettings>? adjust = null)
    {
        Runtime.Become(New(runtime));
        Runtime.Images.OnlyPulls["nothing"] = true;
        foreach (var image in (string[])["nginx:1.25", "redis:7"])
        {
            First.Add($"library/{image.Split(':')[0]}", image.Split(':')[1]);
            CanPull(AtFirst(image));
        }

        Runtime.On(CreateContainer, Create);
        KeepState(isNew: false);
        await Start(adjust: adjust);
    }

    internal static FakeImages New(string runtime) => runtime switch
    {
        Crio => new CrioImages(),
        Docker => new DockerImages(),
        _ => new FakeImages(),
    };

    /// <summary>The image as the runtime has it, once it was pulled through the shim.</summary>
    private protected async Task<FakeImage> PullThrough(string image, string? actual = null)
    {
        await PullRef(image);
        return Runtime.Images.Find(actual ?? AtFirst(image))!;
    }

    /// <summary>A name in full, as this runtime writes it.</summary>
    private protected string Written(string name) => Runtime.Images is DockerImages ? FamiliarName.Of(name).ToString() : name;

    private protected static string DigestOf(FakeImage image) => image.Digests[0][(image.Digests[0].IndexOf('@') + 1)..];

    private protected Task<RawAnswer> Call(string method, string image) => Caller.CallAsync(
        ImageService + method, method is "ListImages" or "StreamImages" ? Filter(image) : Field(1, Field(1, image)));

    private protected static ImagePattern Pattern(string text) => ResolveCase.Pattern(text);

    // Named by name or ID, as each method of the runtime knows images.
    private async Task Create(FakeCall call)
    {
        var name = FindText(await call.ReadRequestAsync(), 2, 2, 1);
        if (Runtime.Images.Refuse(name) is { } refusal)
            call.Fail(refusal.Status, refusal.Text);
        else if (Runtime.Images.Find(name) is { } image)
            await call.AnswerAsync(Field(1, image.Id));
        else
            call.Fail(5, $"no such image: {name}");
    }
}
