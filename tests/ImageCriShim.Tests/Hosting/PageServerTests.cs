using System.Net;
using System.Net.Sockets;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Pages over a socket, where some take long to make.</summary>
public sealed class PageServerTests : IDisposable
{
    private readonly ManualResetEventSlim _goOn = new();
    private readonly PageServer _server;
    private readonly HttpClient _http = new();
    private readonly Uri _address;
    private int _made;

    public PageServerTests()
    {
        var listener = Listen();
        _address = new Uri($"http://{listener.LocalEndPoint}");
        _server = new PageServer(listener, Find);
    }

    public void Dispose()
    {
        _goOn.Set();
        _http.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task The_health_page_waits_for_no_other_page_and_of_the_others_few_are_made_at_once()
    {
        var others = Enumerable.Range(0, 3 * PageServer.MaxAnswers).Select(_ => Get("/slow")).ToArray();
        await Wait.Until(() => Volatile.Read(ref _made) == PageServer.MaxAnswers, "as many are made as may be");
        (await Get("/healthz")).ShouldBe("ok");
        Volatile.Read(ref _made).ShouldBe(PageServer.MaxAnswers);
        _goOn.Set();
        (await Task.WhenAll(others)).ShouldAllBe(page => page == "slow");
    }

    /// <summary>All are there before the first is accepted, so that no chance decides who comes when.</summary>
    [Fact]
    public async Task A_probe_is_answered_in_the_middle_of_a_storm_of_silent_connections()
    {
        const int storm = PageServer.MaxConnections * 3 / 2;
        var listener = Listen();
        var before = Connect(listener, storm);
        var probes = Connect(listener, 10);
        foreach (var probe in probes)
            probe.Send("GET /healthz HTTP/1.1\r\n\r\n"u8);
        var after = Connect(listener, storm);

        using var server = new PageServer(listener, Find);

        foreach (var probe in probes)
        {
            using var answer = new StreamReader(new NetworkStream(probe));
            (await answer.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldStartWith("HTTP/1.1 200 OK\r\n");
        }

        foreach (var caller in before.Concat(probes).Concat(after))
            caller.Dispose();
    }

    /// <summary>As while a process hands over to another one: both hold the socket.</summary>
    [Fact]
    public async Task Another_server_on_the_same_socket_and_its_callers_do_not_notice_that_one_ends()
    {
        const int rounds = 1000;
        using var listener = Listen();
        var health = new Uri($"http://{listener.LocalEndPoint}/healthz");
        using var server = new PageServer(Duplicate(listener), Find);
        using var enough = new CancellationTokenSource();
        async Task Ask()
        {
            while (!enough.IsCancellationRequested)
                (await _http.GetStringAsync(health, TestContext.Current.CancellationToken)).ShouldBe("ok");
        }

        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(Ask)).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            var other = new PageServer(Duplicate(listener), Find);
            Thread.SpinWait(round * 100 % 40_000); // so that it ends at any moment of a call
            other.Dispose();
        }

        await enough.CancelAsync();
        await Task.WhenAll(callers);
    }

    [Fact]
    public async Task It_does_not_end_before_those_that_ask_have_their_response()
    {
        var listener = Listen();
        var callers = Connect(listener, 2);
        callers[0].Send("GET /slow HTTP/1.1\r\n\r\n"u8);
        var server = new PageServer(listener, Find);
        await Wait.Until(() => Volatile.Read(ref _made) == 1, "it is being made");
        var end = Task.Run(server.Dispose, TestContext.Current.CancellationToken);
        await Wait.Until(() => callers[1].Poll(0, SelectMode.SelectRead), "the one that says nothing is let go of");
        end.IsCompleted.ShouldBeFalse();
        _goOn.Set();
        await end;
        callers[0].Available.ShouldBeGreaterThan(0);
        foreach (var caller in callers)
            caller.Dispose();
    }

    private static Socket Duplicate(Socket listener) =>
        new(new SafeSocketHandle(LibC.DuplicateFarAbove((int)listener.Handle), ownsHandle: true)) { Blocking = false };

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1024);
        return listener;
    }

    private static Socket[] Connect(Socket listener, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        var caller = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        caller.Connect(listener.LocalEndPoint!);
        return caller;
    })];

    private Page? Find(string path)
    {
        if (path == "/healthz")
            return new Page(200, "ok");
        Interlocked.Increment(ref _made);
        _goOn.Wait();
        return new Page(200, "slow");
    }

    private Task<string> Get(string path) => _http.GetStringAsync(new Uri(_address, path), TestContext.Current.CancellationToken);
}
