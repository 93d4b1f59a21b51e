using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace ImageCriShim.Tests.Fakes;

/// <summary>docker's socket, as far as it says how it is set up: <c>GET /info</c>, in the form that docker 26 has it. Other paths are not found.</summary>
internal sealed class FakeDocker : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentBag<Socket> held = [];
    private readonly Task accepting;

    private FakeDocker(string socketPath)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(socketPath)!);
        listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        listener.Listen();
        accepting = Task.Run(Accept);
    }

    /// <summary>What it says of itself.</summary>
    public Func<string> Info { get; set; } = () => Told();

    /// <summary>Whether it answers at all.</summary>
    public bool IsSilent { get; set; }

    public static FakeDocker Start(string socketPath) => new(socketPath);

    /// <param name="insecure">Hosts that need not speak TLS as the world does.</param>
    /// <param name="networks">The same of networks.</param>
    /// <param name="mirrors">Of Docker Hub.</param>
    /// <param name="isContainerdStore">Whether its images are containerd's.</param>
    public static string Told(string[]? insecure = null, string[]? networks = null, string[]? mirrors = null, bool isContainerdStore = false)
    {
        var hosts = string.Concat((insecure ?? []).Select(host => $$""", "{{host}}": {"Name": "{{host}}", "Mirrors": [], "Secure": false, "Official": false}"""));
        var status = isContainerdStore ? """[["driver-type", "io.containerd.snapshotter.v1"]]""" : """[["Backing Filesystem", "extfs"], ["Supports d_type", "true"]]""";
        return $$$"""
            {"ServerVersion": "26.1.5", "Driver": "{{{(isContainerdStore ? "overlayfs" : "overlay2")}}}", "DriverStatus": {{{status}}}, "RegistryConfig": {
            "InsecureRegistryCIDRs": [{{{List(networks ?? ["127.0.0.0/8"])}}}], "Mirrors": {{{(mirrors is null ? "null" : $"[{List(mirrors)}]")}}},
            "IndexConfigs": {"docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": true, "Official": true}{{{hosts}}} } } }
            """;
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await accepting;
        foreach (var socket in held)
            socket.Dispose();
    }

    private static string List(string[] texts) => string.Join(", ", texts.Select(text => $"\"{text}\""));

    private async Task Accept()
    {
        while (true)
        {
            try
            {
                var socket = await listener.AcceptAsync();
                if (IsSilent)
                    held.Add(socket);
                else
                    await Answer(socket);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                return;
            }
        }
    }

    private async Task Answer(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = new StreamReader(stream, leaveOpen: true);
        var first = await reader.ReadLineAsync() ?? "";
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }

        var (status, body) = first.StartsWith("GET /info ", StringComparison.Ordinal) ? ("200 OK", Info()) : ("404 Not Found", "{}");
        var head = $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head + body));
    }
}
