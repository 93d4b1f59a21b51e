using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;
using ImageCriShim.Tests.Relay;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Metrics, health and status, as Prometheus, kubelet's probes and curl see them.</summary>
[Trait("suite", "endtoend")]
public sealed class LookingFromOutside : DaemonTest
{
    private static readonly HttpClient s_http = new();

    private readonly int _port = FreePort();

    private string Address => $"http://127.0.0.1:{_port}";

    [Fact]
    public async Task Calls_are_counted_by_method_and_code_forwarded_and_edited_ones()
    {
        StartRuntime();
        await Start();
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        for (var i = 0; i < 3; i++)
            (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        (await caller.CallAsync("/test.Fake/NoSuchMethod", [1])).Status.ShouldBe(12);
        (await caller.CallAsync(CriRelayTest.ImageService + "ImageStatus", CriRelayTest.For("none:1"))).Status.ShouldBe(0);
        var text = await Scrape();
        text.ShouldContain("image_cri_shim_calls_total{method=\"test.Fake/Unary\",code=\"OK\"} 3\n");
        text.ShouldContain("image_cri_shim_calls_total{method=\"test.Fake/NoSuchMethod\",code=\"UNIMPLEMENTED\"} 1\n");
        text.ShouldContain("image_cri_shim_calls_total{method=\"runtime.v1.ImageService/ImageStatus\",code=\"OK\"} 1\n");
        text.ShouldContain("image_cri_shim_added_seconds_count{method=\"ImageService/ImageStatus\"} 1\n");
        text.ShouldContain("image_cri_shim_connections 1\n");
        text.ShouldContain("image_cri_shim_runtime_up 1\n");
    }

    [Fact]
    public async Task A_call_whose_caller_goes_away_is_counted_as_cancelled()
    {
        StartRuntime();
        await Start();
        await using (var caller = await RawCaller.ConnectAsync(ShimSocketPath))
        {
            caller.Start("/test.Fake/Bidi");
            (await caller.CallAsync("/test.Fake/Unary", [1])).Status.ShouldBe(0);
        }

        await Wait.Until(async () => (await Scrape()).Contains("method=\"test.Fake/Bidi\",code=\"CANCELLED\"} 1\n"), "it is counted");
    }

    /// <summary>Its end may show first where the shim sends to it, not where it reads.</summary>
    [Fact]
    public async Task So_is_one_whose_caller_goes_away_while_the_runtime_sends()
    {
        const int callers = 10;
        StartRuntime();
        await Start();
        for (var i = 0; i < callers; i++)
        {
            await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
            var call = caller.Start("/test.Fake/ServerStream");
            caller.Connection.Send(Frame.WindowUpdate(0, 1 << 30), Frame.WindowUpdate(call.Id, 1 << 30));
            await call.SendMessageAsync("""{"count": 1000000, "size": 1000}"""u8.ToArray());
            call.HalfClose();
            await call.ReadMessageAsync();
        }

        await Wait.Until(async () => (await Scrape()).Contains($"method=\"test.Fake/ServerStream\",code=\"CANCELLED\"}} {callers}\n"), "they are counted");
    }

    [Fact]
    public async Task Pulls_and_questions_to_registries_are_counted()
    {
        StartRuntime();
        await using var registry = FakeRegistry.Start();
        registry.Behave = _ => FakeAnswer.Manifest(FakeRegistry.OciManifest);
        await Start($"address: {registry.Address}\nofflineOnly: true\n");
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        for (var i = 0; i < 2; i++)
            (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"))).Status.ShouldBe(0);
        var text = await Scrape();
        var name = $"registry=\"{registry.Address}\"";
        text.ShouldContain($"image_cri_shim_pulls_total{{{name},result=\"pulled\"}} 2\n");
        text.ShouldContain($"image_cri_shim_pull_seconds_count{{{name}}} 2\n");
        text.ShouldContain($"image_cri_shim_probes_total{{{name},result=\"found\"}} 1\n");
        text.ShouldContain($"image_cri_shim_registry_set_aside{{{name}}} 0\n");
        text.ShouldContain("image_cri_shim_cache_lookups_total{result=\"hit\"} 1\nimage_cri_shim_cache_lookups_total{result=\"miss\"} 1\n");

        using var status = JsonDocument.Parse(await Status());
        var recent = status.RootElement.GetProperty("recentPulls");
        recent.GetArrayLength().ShouldBe(2);
        recent[0].GetProperty("image").GetString().ShouldBe("nginx:1.25");
        recent[0].GetProperty("result").GetString().ShouldBe("pulled");
        recent[0].GetProperty("actual").GetString().ShouldBe($"{registry.Address[7..]}/library/nginx:1.25");
        recent[0].GetProperty("reason").GetString().ShouldBe($"{registry.Address[7..]} found");
    }

    [Fact]
    public async Task A_registry_that_cannot_be_reached_is_shown_with_the_reason()
    {
        StartRuntime();
        var nobody = $"http://127.0.0.1:{FreePort()}";
        await Start($"address: {nobody}\nauth: admin:passw0rd\nofflineOnly: true\n");
        await using var caller = await RawCaller.ConnectAsync(ShimSocketPath);
        (await caller.CallAsync(CriRelayTest.ImageService + "PullImage", CriRelayTest.For("nginx:1.25"))).Status.ShouldNotBe(0);
        (await Scrape()).ShouldContain($"image_cri_shim_registry_set_aside{{registry=\"{nobody}\"}} 1\n");
        using var status = JsonDocument.Parse(await Status());
        var registry = status.RootElement.GetProperty("registries")[0];
        registry.GetProperty("setAside").GetBoolean().ShouldBeTrue();
        registry.GetProperty("reason").GetString()!.ShouldContain("refused");
        registry.GetProperty("auth").GetString().ShouldBe("admin:***");
        (await Scrape() + await Status()).ShouldNotContain("passw0rd");
        status.RootElement.GetProperty("recentPulls")[0].GetProperty("result").GetString().ShouldBe("failed");
    }

    [Fact]
    public async Task It_is_ready_while_there_is_a_runtime_and_alive_without()
    {
        var shim = await Start("force: true\naddress: http://127.0.0.1:1\n");
        (await Get("/readyz")).ShouldBe((503, $"not ready: the container runtime's socket {RuntimeSocketPath} cannot be connected: there is no such socket\n"));
        (await Get("/healthz")).ShouldBe((200, "ok\n"));
        StartRuntime();
        await Wait.Until(async () => await Get("/readyz") == (200, "ready\n"), "it is ready"); // within 100 ms
        (await shim.StopAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("address: [1]")]
    [InlineData("auth:admin:passw0rd")] // a space is missing
    [InlineData("auth:admin:passw0rd: x")]
    public async Task It_is_not_ready_while_it_fails_open_and_names_no_key_and_no_value(string spoilt)
    {
        StartRuntime();
        AtEnd(ShimProcess.LaunchWith(["--fail-open"], Directory, RuntimeSocketPath, $"metrics: 127.0.0.1:{_port}\n{spoilt}\n"));
        await Wait.Until(() => File.Exists($"{ShimSocketPath}.status"));
        using var status = JsonDocument.Parse(await Status());
        status.RootElement.GetProperty("settings").GetProperty("failingOpen").GetBoolean().ShouldBeTrue();
        status.RootElement.TryGetProperty("registries", out _).ShouldBeFalse();
        var (code, page) = await GetPrivate("/readyz");
        (code, page).ShouldBe((503, "not ready: FAIL OPEN, nothing is rewritten: the settings cannot be used; see the log\n"));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_warning_and_is_taken_over_when_it_is_free()
    {
        StartRuntime();
        using var other = new TcpListener(IPAddress.Loopback, _port);
        other.Start();
        var shim = await Launch();
        shim.ShouldSay($"metrics and health are not served at 127.0.0.1:{_port}: another process listens there");
        other.Stop();
        await Wait.Until(async () => await TryGet($"{Address}/healthz") == 200, "the port is taken over");
    }

    [Fact]
    public async Task Another_address_is_taken_at_a_reload_and_off_closes_it()
    {
        StartRuntime();
        var shim = await Start("reloadInterval: 100ms\naddress: http://127.0.0.1:1\n");
        var other = FreePort();
        Rewrite($"metrics: 127.0.0.1:{_port}", $"metrics: 127.0.0.1:{other}");
        await Wait.Until(async () => (await TryGet($"http://127.0.0.1:{other}/healthz")) == 200, "it listens there");
        (await TryGet($"{Address}/healthz")).ShouldBeNull();
        Rewrite($"metrics: 127.0.0.1:{other}", "metrics: off");
        await Wait.Until(async () => (await TryGet($"http://127.0.0.1:{other}/healthz")) is null, "it listens nowhere");
        shim.ShouldSay($"settings: metrics 127.0.0.1:{_port} -> 127.0.0.1:{other}");
    }

    [Fact]
    public async Task The_status_socket_is_for_its_owner_alone_and_goes_with_the_process()
    {
        StartRuntime();
        var shim = await Start();
        File.GetUnixFileMode($"{ShimSocketPath}.status").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await shim.StopAsync()).ShouldBe(0);
        File.Exists($"{ShimSocketPath}.status").ShouldBeFalse();
    }

    [Theory]
    [InlineData("GET /nowhere HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n")]
    [InlineData("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n")]
    [InlineData("rubbish\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n")]
    [InlineData("GET /status HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n")] // is for the private socket
    [InlineData("HEAD /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")]
    public async Task Whatever_is_asked_is_answered(string request, string begin)
    {
        StartRuntime();
        await Start();
        var answer = await Send(Encoding.ASCII.GetBytes(request));
        answer.ShouldStartWith(begin);
        if (request.StartsWith("HEAD", StringComparison.Ordinal))
            answer.ShouldBe(begin);
    }

    [Fact]
    public async Task A_request_without_end_is_refused_and_one_that_never_comes_holds_up_nobody()
    {
        StartRuntime();
        await Start();
        (await Send([.. Enumerable.Repeat((byte)'a', 8 * 1024)])).ShouldStartWith("HTTP/1.1 400 ");
        const int idlers = 64;
        var silent = new List<TcpClient>();
        for (var i = 0; i < PageServer.MaxConnections + idlers; i++)
            silent.Add(await Connect());
        (await Get("/healthz")).Code.ShouldBe(200);
        (await Get("/metrics")).Code.ShouldBe(200);
        await Wait.Until(() => silent.Take(idlers).All(IsClosed), "the eldest are closed");
        silent.ForEach(client => client.Dispose());
    }

    private async Task<ShimProcess> Start(string yaml = "address: http://127.0.0.1:1\n")
    {
        var shim = await Launch(yaml);
        await Wait.Until(async () => await TryGet($"{Address}/healthz") == 200, "metrics are served");
        return shim;
    }

    private Task<ShimProcess> Launch(string yaml = "address: http://127.0.0.1:1\n") => StartShim($"{yaml}metrics: 127.0.0.1:{_port}\n");

    private void Rewrite(string before, string after)
    {
        var file = Directory.File("image-cri-shim.yaml");
        var next = File.ReadAllText(file).Replace(before, after);
        File.WriteAllText($"{file}.new", next);
        File.Move($"{file}.new", file, overwrite: true);
    }

    private static bool IsClosed(TcpClient client) => client.Client.Poll(0, SelectMode.SelectRead) && client.Client.Available == 0;

    private Task<string> Scrape() => s_http.GetStringAsync($"{Address}/metrics", TestContext.Current.CancellationToken);

    private async Task<string> Status()
    {
        var (code, body) = await GetPrivate("/status");
        code.ShouldBe(200, body);
        return body;
    }

    private async Task<(int Code, string Body)> Get(string path)
    {
        using var answer = await s_http.GetAsync($"{Address}{path}", TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task<int?> TryGet(string address)
    {
        try
        {
            using var answer = await s_http.GetAsync(address, TestContext.Current.CancellationToken);
            return (int)answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task<(int Code, string Body)> GetPrivate(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint($"{ShimSocketPath}.status"), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var answer = await http.GetAsync($"http://shim{path}", TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private async Task<string> Send(byte[] request)
    {
        using var client = await Connect();
        var stream = client.GetStream();
        await stream.WriteAsync(request, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    private async Task<TcpClient> Connect()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
        return client;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
