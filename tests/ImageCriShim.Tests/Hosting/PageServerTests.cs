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
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
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
