using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Hosting;

/// <summary>
/// Whatever others write that is shown, with what a terminal would obey and with a megabyte, through every output: no line is forged, nothing is
/// obeyed, and nobody is drowned.
/// </summary>
[Trait("suite", "endtoend")]
public sealed class ForeignTexts : DaemonTest
{
    private const int LongestOutput = 256 * 1024; // of a log whose lines hold the name of an image, which may have 16384 characters, twice
    private const string Forged = "FORGED";

    private static readonly string[] s_sources = ["runtime", "version", "registry", "token", "index", "certificate", "issuer", "caller", "user"];

    private readonly FakeRegistry _words = FakeRegistry.Start();
    private readonly FakeRegistry _tokens = FakeRegistry.Start();
    private readonly FakeRegistry _index = FakeRegistry.Start();
    private readonly FakeRegistry _certified = FakeRegistry.StartWithTls(Certify($"of-certificate\e[2J\0\r\n{Forged}{new string('x', 4000)}"));
    private readonly FakeRegistry _signed = FakeRegistry.StartWithTls(Certify(null));
    private readonly FakeTokenServer _tokenServer = FakeTokenServer.Start();
    private readonly List<(string What, string Text)> _outputs = [];

    public static TheoryData<string> Forms => ["text", "journald", "json"];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Are_harmless_in_every_output(string form)
    {
        AtEnd(_words);
        AtEnd(_tokens);
        AtEnd(_index);
        AtEnd(_certified);
        AtEnd(_signed);
        AtEnd(_tokenServer);
        var runtime = StartRuntime();
        Behave(runtime);
        var port = FreePort();
        var shim = AtEnd(ShimProcess.LaunchWith(
            form == "json" ? ["--log-format", "json"] : [], Directory, RuntimeSocketPath, Settings(port), form == "journald" ? [("JOURNAL_STREAM", "8:1")] : []));
        await shim.ReadyAsync();

        await CallWithEvil();
        Show("readyz and metrics", await Scrape(port));
        await ShowCommands();
        await shim.StopAsync();
        Show("the log", shim.Output);

        foreach (var (what, text) in _outputs)
            ShouldBeHarmless(what, text);
        var all = string.Join('\n', _outputs.Select(output => output.Text));
        s_sources.Where(source => !all.Contains($"of-{source}", StringComparison.Ordinal)).ShouldBeEmpty(all); // or it was not tried
    }

    private string Settings(int port)
    {
        var docker = Directory.File("docker.json");
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Evil("user", 0)}:secret"));
        File.WriteAllText(docker, JsonSerializer.Serialize(new { auths = new Dictionary<string, object> { [_words.Host] = new { auth } } }));
        return $"""
            address: {_words.Address}
            dockerConfig: {docker}
            debug: true
            registries:
            - address: {_tokens.Address}
              auth: a:b
            - address: {_index.Address}
            - address: {_certified.Address}
            - address: {_signed.Address}
            metrics: 127.0.0.1:{port}
            """;
    }

    private void Behave(FakeRuntime runtime)
    {
        foreach (var version in (string[])["v1", "v1alpha2"])
        {
            runtime.On($"/runtime.{version}.RuntimeService/Version", call => call.AnswerAsync(
                Message(Field(1, "0.1.0"), Field(2, Evil("version", 1024 * 1024)), Field(3, Evil("version", 10)), Field(4, version))));
            runtime.On($"/runtime.{version}.ImageService/PullImage", async call =>
            {
                await call.ReadRequestAsync();
                if (call.Image.Contains("good", StringComparison.Ordinal))
                    await call.AnswerAsync(Field(1, Evil("image", 1024 * 1024)));
                else
                    call.Fail(2, Evil("runtime", 1000), ("x-more", "\u0090\u009b2J"));
            });
        }

        var denial = JsonSerializer.Serialize(new { errors = new[] { new { code = "DENIED", message = Evil("registry", 3000) } } });
        _words.Behave = request => request.Method == "HEAD" ? new FakeAnswer(405) : FakeAnswer.Json(403, denial);
        _tokens.Behave = _ => new FakeAnswer(401) { Challenges = [$"Bearer realm=\"{_tokenServer.Realm}\",service=\"\e[2J\"", "Bearer realm=\"http://\u200b\u202e/\e[2J\""] };
        _tokenServer.Behave = _ => FakeAnswer.Json(401, JsonSerializer.Serialize(new { error = "of-token-x" }));
        var platforms = JsonSerializer.Serialize(new { schemaVersion = 2, manifests = new[] { new { platform = new { os = $"of-index\e[2J\n{Forged}", architecture = Evil("a", 1024 * 1024) } } } });
        _index.Behave = request => request.Path == "/v2/" ? new FakeAnswer(200) : FakeAnswer.Manifest(FakeRegistry.OciIndex, platforms);
    }

    private async Task CallWithEvil()
    {
        const string pull = CriRelayTest.ImageService + "PullImage";
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        foreach (var image in (string[])["library/nginx:1", "good:1", Evil("caller", 0), Evil("caller", 100_000)])
        {
            var answer = await caller.CallAsync(pull, CriRelayTest.For(image));
            Show($"the caller's error of {image.Length}", answer.Message);
        }

        Show("the caller's error of an unknown method", (await caller.CallAsync("/of.method/\e[2J", [1])).Status.ToString());
    }

    private async Task ShowCommands()
    {
        var config = Directory.File("image-cri-shim.yaml");
        string[][] commands = [["status"], ["check"], ["resolve", "nginx:1"], ["resolve", Evil("caller", 0).Replace("\0", "")], ["images"], ["missing"]];
        foreach (var command in commands)
        {
            Show(string.Join(' ', command[0], "text"), (await Run(["-f", config, .. command])).Output);
            Show(string.Join(' ', command[0], "json"), (await Run(["-f", config, .. command, "--output", "json"])).Output);
        }
    }

    private static async Task<string> Scrape(int port)
    {
        using var http = new HttpClient();
        var text = new StringBuilder();
        foreach (var page in (string[])["metrics", "readyz", "healthz"])
        {
            using var answer = await http.GetAsync($"http://127.0.0.1:{port}/{page}", TestContext.Current.CancellationToken);
            text.Append(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        return text.ToString();
    }

    private void Show(string what, string text) => _outputs.Add((what, text));

    private static void ShouldBeHarmless(string what, string text)
    {
        var unprintable = text.EnumerateRunes().Where(rune => rune.Value != '\n' && !PrintableText.IsPrintable(rune)).Select(rune => $"U+{rune.Value:X4}").Distinct();
        unprintable.ShouldBeEmpty($"{what}: {text}");
        text.Split('\n').ShouldNotContain(line => line.TrimStart().StartsWith(Forged, StringComparison.Ordinal), what);
        text.Length.ShouldBeLessThan(LongestOutput, what);
    }

    /// <summary>Says where it comes from, and then all at once.</summary>
    private static string Evil(string source, int length) =>
        $"of-{source}\e[2J\e]0;title\a\0\b\t\r\n{Forged} <3>x\n{Forged}\u0085{Forged}\u2028\u009b31m\u202e\u2066\u200b\ufeff\u3164{new string('x', length)}";

    /// <summary>By itself, under a name that an authority may have.</summary>
    /// <param name="host">Whom it is for; null for whoever shows it.</param>
    private static X509Certificate2 Certify(string? host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName($"of-issuer\e[2J\n{Forged}\u202e\u200b");
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var names = new AsnWriter(AsnEncodingRules.DER);
        using (names.PushSequence())
        {
            if (host is null)
                names.WriteOctetString([127, 0, 0, 1], new Asn1Tag(TagClass.ContextSpecific, 7));
            else
                names.WriteCharacterString(UniversalTagNumber.IA5String, host, new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", names.Encode(), critical: false));
        using var signed = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(signed.Export(X509ContentType.Pkcs12), null);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
