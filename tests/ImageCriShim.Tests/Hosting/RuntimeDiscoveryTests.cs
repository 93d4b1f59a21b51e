using System.Net.Sockets;
using ImageCriShim.Hosting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Hosting;

/// <summary>Finding the runtime where the configuration does not name it.</summary>
public sealed class RuntimeDiscoveryTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<Socket> _sockets = [];

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _directory.Dispose();
    }

    [Fact]
    public void The_only_socket_is_the_runtimes()
    {
        var (a, b) = (Present("a"), Absent("b"));
        Find(a, b).ShouldBe((a, ""));
    }

    [Fact]
    public void None_is_an_error_that_names_where_was_looked()
    {
        var (a, b) = (Absent("a"), Absent("b"));
        Find(a, b).ShouldBe((null, $"cri: no container runtime's socket was found ({a}, {b}); name it"));
    }

    [Fact]
    public void Two_are_an_error_that_names_them()
    {
        var (a, b, c) = (Present("a"), Absent("b"), Present("c"));
        Find(a, b, c).ShouldBe((null, $"cri: several container runtimes were found ({a}, {c}); name one"));
    }

    [Fact]
    public void One_that_answers_counts_for_more_than_one_that_was_left_behind()
    {
        var (left, live) = (Present("left", listens: false), Present("live"));
        Find(left, live).ShouldBe((live, ""));
    }

    [Fact]
    public void One_that_was_left_behind_is_the_runtimes_if_there_is_no_other()
    {
        var left = Present("left", listens: false);
        Find(left, Absent("b")).ShouldBe((left, ""));
    }

    [Fact]
    public void A_regular_file_is_no_runtime()
    {
        File.WriteAllText(Absent("file"), "");
        Find(Absent("file")).Found.ShouldBeNull();
    }

    private static (string? Found, string Problem) Find(params string[] candidates)
    {
        var found = RuntimeDiscovery.Find(candidates, TimeProvider.System, out var problem);
        return (found, problem);
    }

    private string Absent(string name) => _directory.File(name);

    private string Present(string name, bool listens = true)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _sockets.Add(socket);
        socket.Bind(new UnixDomainSocketEndPoint(_directory.File(name)));
        if (listens)
            socket.Listen();
        return _directory.File(name);
    }
}
