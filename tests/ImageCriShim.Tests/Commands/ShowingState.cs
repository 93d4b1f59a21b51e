using System.Text.Json;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Hosting;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Commands;

/// <summary><c>image-cri-shim images</c> and <c>missing</c>, as an operator types them.</summary>
[Trait("suite", "endtoend")]
public sealed class ShowingState : DaemonTest
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly string s_digest = "sha256:" + new string('d', 64);
    private static readonly string s_id = "sha256:" + new string('1', 64);

    private string State => Directory.File("state");

    [Fact]
    public async Task Images_are_a_table_of_what_was_pulled_latest_first()
    {
        Save("pulls.json", StateJson.Pulls.Write(Pulls()));
        var (code, output) = await Show("images");
        code.ShouldBe(0, output);
        output.ShouldBe($"""
            original       actual                              registry         digest{new string(' ', 65)}  when
            quay.io/a/b:1  quay.io/a/b:1                       quay.io          unknown{new string(' ', 64)}  2026-01-02 04:04:05Z
            nginx:1.25     sealos.hub:5000/library/nginx:1.25  sealos.hub:5000  {s_digest}  2026-01-02 03:04:05Z

            """);
    }

    [Fact]
    public async Task Images_as_JSON_hold_all_that_is_recorded()
    {
        Save("pulls.json", StateJson.Pulls.Write(Pulls()));
        var (code, output) = await Show("images", "--output", "json");
        code.ShouldBe(0, output);
        output.ShouldBe($$"""
            [
              {
                "original": "quay.io/a/b:1",
                "actual": "quay.io/a/b:1",
                "registry": "quay.io",
                "digest": null,
                "imageRef": "{{s_id}}",
                "when": "2026-01-02T04:04:05+00:00"
              },
              {
                "original": "nginx:1.25",
                "actual": "sealos.hub:5000/library/nginx:1.25",
                "registry": "sealos.hub:5000",
                "digest": "{{s_digest}}",
                "imageRef": "{{s_id}}",
                "when": "2026-01-02T03:04:05+00:00"
              }
            ]

            """);
    }

    [Fact]
    public async Task Missing_images_are_a_name_a_line_newest_first()
    {
        Save("missing.json", StateJson.Missing.Write(Missing()));
        (await Show("missing")).ShouldBe((0, $"quay.io/a/b@{s_digest}\ndocker.io/library/nginx:1.25\n"));
    }

    [Fact]
    public async Task Missing_images_as_JSON_say_when_and_where_they_were_looked_for()
    {
        Save("missing.json", StateJson.Missing.Write(Missing()));
        (await Show("missing", "-o", "json")).ShouldBe((0, $$"""
            [
              {
                "image": "quay.io/a/b@{{s_digest}}",
                "first": "2026-01-02T04:04:05+00:00",
                "last": "2026-01-02T05:04:05+00:00",
                "asked": []
              },
              {
                "image": "docker.io/library/nginx:1.25",
                "first": "2026-01-02T03:04:05+00:00",
                "last": "2026-01-02T03:04:05+00:00",
                "asked": [
                  "sealos.hub:5000/library/nginx:1.25"
                ]
              }
            ]

            """));
    }

    [Fact]
    public async Task Where_there_is_nothing_yet_that_is_shown_and_nothing_is_made()
    {
        (await Show("images")).ShouldBe((0, "original  actual  registry  digest  when\n"));
        (await Show("missing")).ShouldBe((0, ""));
        (await Show("images", "-o", "json")).ShouldBe((0, "[]\n"));
        (await Show("missing", "-o", "json")).ShouldBe((0, "[]\n"));
        System.IO.Directory.Exists(State).ShouldBeFalse();
    }

    [Theory]
    [InlineData("images", "pulls.json", "garbage", "it is not JSON")]
    [InlineData("missing", "missing.json", "{}", "it does not hold what it should")]
    [InlineData("missing", "missing.json", """{"version":2,"missing":[]}""", "it is of another release")]
    public async Task A_file_that_cannot_be_read_is_named_and_left_as_it_is(string command, string file, string content, string problem)
    {
        Save(file, System.Text.Encoding.UTF8.GetBytes(content));
        (await Show(command)).ShouldBe((1, $"{Path.Combine(State, file)}: {problem}\n"));
        File.ReadAllText(Path.Combine(State, file)).ShouldBe(content);
        System.IO.Directory.GetFiles(State).Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("images", "pulls.json")]
    [InlineData("missing", "missing.json")]
    public async Task What_may_not_be_read_is_not_taken_for_nothing(string command, string file)
    {
        System.IO.Directory.CreateDirectory(Path.Combine(State, file)); // which even root cannot read as a file
        (await Show(command)).ShouldBe((1, $"{Path.Combine(State, file)}: may not be read by this process\n"));
    }

    [Theory]
    [InlineData("images")]
    [InlineData("missing")]
    public async Task They_need_a_usable_file(string command)
    {
        File.WriteAllText(Directory.File("unusable.yaml"), "registrys: []\n");
        var (code, output) = await Run(command, "-f", Directory.File("unusable.yaml"));
        code.ShouldBe(2);
        output.ShouldContain("did you mean registries?");
    }

    [Fact]
    public async Task They_show_what_a_daemon_has_done_while_it_runs()
    {
        var runtime = StartRuntime();
        await using var hub = FakeRegistry.Start();
        var digest = hub.Add("library/nginx", "1.25");
        runtime.Images.FailPulls["absent.invalid/team/app:2"] = (5, "not found");
        var shim = await StartShim($"address: {hub.Address}");
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync("/runtime.v1.ImageService/PullImage", Field(1, Field(1, "nginx:1.25")))).Status.ShouldBe(0);
        (await caller.CallAsync("/runtime.v1.ImageService/PullImage", Field(1, Field(1, "absent.invalid/team/app:2")))).Status.ShouldBe(5);
        await Wait.Until(() => IsSaved("pulls.json", "nginx:1.25") && IsSaved("missing.json", "team/app:2"));

        string[] show = ["-f", Directory.File("image-cri-shim.yaml")];
        var (code, images) = await Run(["images", "-o", "json", .. show]);
        code.ShouldBe(0, images);
        using var json = JsonDocument.Parse(images);
        var image = json.RootElement.EnumerateArray().ShouldHaveSingleItem();
        string?[] seen = [.. new[] { "original", "actual", "registry", "digest" }.Select(key => image.GetProperty(key).GetString())];
        seen.ShouldBe(["nginx:1.25", $"{hub.Host}/library/nginx:1.25", hub.Host, digest]);
        (await Run(["missing", .. show])).ShouldBe((0, "absent.invalid/team/app:2\n"));
        shim.HasExited.ShouldBeFalse();
    }

    private static RecordedPull[] Pulls() =>
    [
        new("nginx:1.25", "sealos.hub:5000/library/nginx:1.25", "sealos.hub:5000", s_id, s_start, PulledWith.NodesOwn, s_digest),
        new("quay.io/a/b:1", "quay.io/a/b:1", "quay.io", s_id, s_start.AddHours(1), PulledWith.Callers),
    ];

    private static MissingImage[] Missing() =>
    [
        new("docker.io/library/nginx:1.25", s_start, s_start, ["sealos.hub:5000/library/nginx:1.25"]),
        new($"quay.io/a/b@{s_digest}", s_start.AddHours(1), s_start.AddHours(2), []),
    ];

    // The files may have been there before with less in them.
    private bool IsSaved(string file, string what) =>
        Path.Combine(State, file) is var path && File.Exists(path) && File.ReadAllText(path).Contains(what, StringComparison.Ordinal);

    private void Save(string file, ReadOnlyMemory<byte> content)
    {
        System.IO.Directory.CreateDirectory(State);
        File.WriteAllBytes(Path.Combine(State, file), content.ToArray());
    }

    private Task<(int Code, string Output)> Show(params string[] arguments)
    {
        File.WriteAllText(Directory.File("show.yaml"), $"address: http://sealos.hub:5000\nimage: {State}\n");
        return Run([.. arguments, "--file", Directory.File("show.yaml")]);
    }
}
