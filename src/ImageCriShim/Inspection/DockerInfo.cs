using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ImageCriShim.Hosting;

namespace ImageCriShim.Inspection;

/// <summary>
/// How docker is set up, as it says itself: <c>GET /info</c> of its API. Flags of dockerd and its file are in it, as far as they have been
/// read.
/// </summary>
/// <param name="Version">Of dockerd.</param>
/// <param name="Store">Where its images are.</param>
/// <param name="Hosts">Those that it was told of, and whether they must speak TLS as the world does.</param>
/// <param name="Networks">Whose hosts need not.</param>
/// <param name="Mirrors">Of Docker Hub.</param>
internal sealed record DockerInfo(
    string Version, string Store, IReadOnlyDictionary<string, bool> Hosts, IReadOnlyList<IPNetwork> Networks, IReadOnlyList<string> Mirrors)
{
    public const string Unix = "unix://";

    private const int MaxBytes = 1024 * 1024; // it is some 5 KiB
    private const string Containerd = "io.containerd.snapshotter.v1";

    /// <summary>Hosts and networks that may speak plain http, or show any certificate.</summary>
    public IEnumerable<string> Insecure =>
        Hosts.Where(host => !host.Value).Select(host => host.Key).Concat(Networks.Select(network => $"{network}"));

    /// <param name="endpoint">As cri-dockerd has it.</param>
    /// <param name="root">In which its socket is.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="cancellation">Nobody wants to know any more.</param>
    /// <returns>Why it does not answer, where it does not.</returns>
    public static async Task<(DockerInfo? Info, string Problem)> Ask(
        string endpoint, NodeRoot root, TimeSpan patience, CancellationToken cancellation)
    {
        if (!endpoint.StartsWith(Unix, StringComparison.Ordinal))
            return (null, "that is no unix socket");
        using var http = UnixHttp.CreateClient(root.At(endpoint[Unix.Length..]), patience);
        http.MaxResponseContentBufferSize = MaxBytes;
        try
        {
            using var json = JsonDocument.Parse(await http.GetStringAsync(new Uri("http://docker/info"), cancellation));
            return (Read(json.RootElement), "");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (null, $"no answer within {patience.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (e is JsonException or HttpRequestException or InvalidOperationException)
        {
            return (null, Explain(e));
        }
    }

    /// <summary>Whether it takes that host for one that need not speak TLS as the world does.</summary>
    /// <param name="host">With its port.</param>
    /// <param name="addresses">Of its name.</param>
    public bool Allows(string host, Func<string, IEnumerable<IPAddress>> addresses)
    {
        if (Hosts.TryGetValue(host, out var isSecure))
            return !isSecure;
        var name = Uri.TryCreate($"https://{host}", UriKind.Absolute, out var uri) ? uri.IdnHost : host;
        return Networks.Count > 0 && addresses(name).Any(address => Networks.Any(network => network.Contains(address)));
    }

    private static DockerInfo Read(JsonElement info)
    {
        var registries = Child(info, "RegistryConfig");
        var hosts = Child(registries, "IndexConfigs") is { ValueKind: JsonValueKind.Object } indexes
            ? indexes.EnumerateObject().ToDictionary(index => index.Name, index => IsSecure(index.Value))
            : [];
        var networks = Texts(Child(registries, "InsecureRegistryCIDRs"))
            .Select(text => (Is: IPNetwork.TryParse(text, out var network), Network: network))
            .Where(one => one.Is).Select(one => one.Network);
        var mirrors = Texts(Child(registries, "Mirrors"));
        return new DockerInfo(Shown(Child(info, "ServerVersion")), StoreOf(info), hosts, [.. networks], [.. mirrors]);
    }

    private static bool IsSecure(JsonElement index) => Child(index, "Secure").ValueKind != JsonValueKind.False;

    private static string StoreOf(JsonElement info)
    {
        var driver = Shown(Child(info, "Driver"));
        var isContainerd = Child(info, "DriverStatus") is { ValueKind: JsonValueKind.Array } status
            && status.EnumerateArray().Any(pair => Texts(pair).Contains(Containerd));
        return isContainerd ? $"containerd's image store ({driver})" : $"its own image store ({driver})";
    }

    private static string Explain(Exception e) => e switch
    {
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => "nothing listens on it",
        { InnerException: SocketException { SocketErrorCode: SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported } } =>
            "there is no such socket",
        { InnerException: SocketException { SocketErrorCode: SocketError.AccessDenied } } => "permission denied",
        HttpRequestException { StatusCode: { } status } => $"HTTP {(int)status}",
        JsonException or InvalidOperationException => "its answer is not docker's",
        _ => PrintableText.Of(e.Message),
    };

    private static JsonElement Child(JsonElement parent, string key) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(key, out var value) ? value : default;

    private static IEnumerable<string> Texts(JsonElement list) => list.ValueKind == JsonValueKind.Array
        ? list.EnumerateArray().Where(text => text.ValueKind == JsonValueKind.String).Select(text => text.GetString()!)
        : [];

    private static string Shown(JsonElement text) => text.ValueKind == JsonValueKind.String ? PrintableText.Of(text.GetString()!) : "";
}
