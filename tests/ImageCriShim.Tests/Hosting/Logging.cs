using System.Text;
using System.Text.Json;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>The three forms of the log, and that no secret is in any.</summary>
[Trait("suite", "endtoend")]
public sealed class Logging : DaemonTest
{
    private const string Secret = "passw0rd-of-the-registry";
    private const string PullSecret = "the-pods-own-secret";

    public static TheoryData<string> Forms => ["text", "journald", "json"];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Has_one_event_per_line_and_no_secret(string form)
    {
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Account = ("admin", Secret);
        registry.Add("library/found", "1");
        var lines = await Run(form, $"address: {registry.Address}\nauth: admin:{Secret}\ndebug: true\n");

        lines.Length.ShouldBeGreaterThan(8);
        foreach (var line in lines)
            ShouldHaveForm(form, line);
        var output = string.Join('\n', lines);
        if (form == "json")
            output += string.Join('\n', lines.Select(ReadMessage)); // where > is not \u003E
        output.ShouldContain("resolved found:1 -> ");
        output.ShouldContain("evil line"); // what others say is told, but cannot begin a line of its own
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Secret}"));
        foreach (var secret in (string[])[Secret, PullSecret, basic])
            output.ShouldNotContain(secret);
    }

    [Theory]
    [InlineData("auth: admin:hunter2-secret\ntimeout: x\n")]
    [InlineData("auth: \":hunter2-secret\"\n")]
    [InlineData("auth: *hunter2-secret\n")]
    [InlineData("auth: [hunter2-secret]\n")]
    [InlineData("auth: {a: hunter2-secret}\n")]
    [InlineData("registries:\n- address: http://user:hunter2-secret@host\n")]
    [InlineData("registries:\n- address: http://host\n  auth: \"hunter2-secret\n")]
    public async Task Shows_no_secret_of_a_file_that_is_wrong(string yaml)
    {
        StartRuntime();
        var (code, output) = await FailToStart(yaml);
        code.ShouldBe(2);
        output.ShouldNotContain("hunter2-secret");
    }

    /// <summary>A start, two pulls of which one fails, and an end.</summary>
    private async Task<string[]> Run(string form, string yaml)
    {
        var runtime = FakeRuntime.Start(Directory.File("cri2.sock"));
        AtEnd(runtime);
        runtime.Images.FailPulls["missing:1"] = (5, "not found\nevil line");
        string[] arguments = form == "json" ? ["--log-format", "json"] : [];
        (string, string)[] environment = form == "journald" ? [("JOURNAL_STREAM", "8:1")] : [];
        var shim = AtEnd(ShimProcess.LaunchWith(arguments, Directory, runtime.SocketPath, yaml, environment));
        await shim.ReadyAsync();
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
        {
            const string pull = CriRelayTest.ImageService + "PullImage";
            var auth = ProtoFields.Field(2, ProtoFields.Message(ProtoFields.Field(1, "pod"), ProtoFields.Field(2, PullSecret)));
            (await caller.CallAsync(pull, [.. CriRelayTest.For("found:1"), .. auth])).Status.ShouldBe(0);
            (await caller.CallAsync(pull, [.. CriRelayTest.For("missing:1"), .. auth])).Status.ShouldBe(5);
        }

        (await shim.StopAsync()).ShouldBe(0);
        return shim.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string? ReadMessage(string line)
    {
        using var parsed = JsonDocument.Parse(line);
        return parsed.RootElement.GetProperty("message").GetString();
    }

    private static void ShouldHaveForm(string form, string line)
    {
        if (form == "text")
            line.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) .+");
        else if (form == "journald")
            line.ShouldMatch(@"^<[3467]>.+");
        else
        {
            using var parsed = JsonDocument.Parse(line);
            parsed.RootElement.EnumerateObject().Select(property => property.Name).Take(4).ShouldBe(["time", "level", "event", "message"]);
        }
    }
}
