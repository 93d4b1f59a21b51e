using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Configuration;

public sealed class TomlTests
{
    private static readonly string s_corpus = Path.Combine(Repository.Root, "tests/ImageCriShim.Tests/Fuzzing/corpus/toml");

    [Fact]
    public void Everything_that_a_text_can_be_written_as_is_read()
    {
        var top = Read("everything.toml");
        top.Text("title").ShouldBe("café \"quoted\" \\ 😀");
        top.Text("literal key").ShouldBe(@"C:\no\escapes");
        top.Text("long").ShouldBe("first second\n\"third\" ");
        top.Text("raw").ShouldBe("it's\nraw");
        top.Table("a", "b", "c.d")!.Scalar("x").ShouldBe("1");
        top.Table("t")!.Tables("list").Select(table => table.Scalar("n")).ShouldBe(["1", "2"]);
        top.LineOf("raw").ShouldBe(8);
        top.Table("t")!.Line.ShouldBe(12);
    }

    [Fact]
    public void Containerd_s_own_files_are_read()
    {
        var old = Read("containerd-1.7.toml").Table("plugins", "io.containerd.grpc.v1.cri")!;
        old.Text("sandbox_image").ShouldBe("registry.k8s.io/pause:3.8");
        old.Table("registry")!.Text("config_path").ShouldBe("");
        var images = Read("containerd-2.toml").Table("plugins", "io.containerd.cri.v1.images")!;
        images.Table("pinned_images")!.Text("sandbox").ShouldBe("registry.k8s.io/pause:3.10");
        images.Table("registry")!.LineOf("config_path").ShouldBe(53);
    }

    [Fact]
    public void Hosts_are_read_with_lists_in_lists()
    {
        var hosts = Read("hosts.toml").Table("host")!;
        hosts.Keys.ShouldBe(["https://mirror.corp/v2/hub", "http://sealos.hub:5000"]);
        hosts.Table("https://mirror.corp/v2/hub")!.Texts("client").ShouldBe(["/etc/certs/client.crt", "/etc/certs/client.key", "/etc/certs/other.pem", ""]);
        hosts.Table("http://sealos.hub:5000")!.Texts("capabilities").ShouldBe(["pull", "resolve"]);
        hosts.Table("http://sealos.hub:5000")!.IsTrue("skip_verify").ShouldBeTrue();
    }

    [Theory]
    [InlineData("a = 1\nb =\n", "line 2: a value is missing")]
    [InlineData("a = \"x\n", "line 1: a text in quotes is not ended")]
    [InlineData("\n\n[a\n", "line 3: ] is missing")]
    [InlineData("a = 1\na = 2\n", "line 2: a stands there twice")]
    [InlineData("a = [1, 2\nb = 3\n", "line 2: a list is not ended")]
    [InlineData("a = \"passw0rd\" x\n", "line 1: there is more behind the end of a value or a header")]
    [InlineData("a = \"\\q\"\n", "line 1: there is no such escape in a text")]
    [InlineData("a = 1\n[a]\n", "line 2: a is no table")]
    public void What_is_no_TOML_is_said_to_be_none_and_where(string text, string expected)
    {
        TomlParser.Parse(text, out var problem).ShouldBeNull();
        problem.ShouldBe(expected);
    }

    private static TomlTable Read(string file) => TomlParser.Parse(File.ReadAllText(Path.Combine(s_corpus, file)), out var problem).ShouldNotBeNull(problem);
}
