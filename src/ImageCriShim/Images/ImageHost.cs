using System.Net;

namespace ImageCriShim.Images;

/// <summary>
/// Compares the hosts that images name, whatever their spelling: letters, Docker Hub's names, ports that say nothing, the forms of an IPv6
/// address, a trailing dot. What goes to a runtime stays as written.
/// </summary>
internal static class ImageHost
{
    public const int HttpsPort = 443;
    public const int HttpPort = 80;

    /// <summary>Whether both are one host to a client that uses <paramref name="defaultPort"/> where none is written.</summary>
    public static bool AreSame(string host, string other, int defaultPort) =>
        host == other || Canonical(host, defaultPort) == Canonical(other, defaultPort);

    /// <summary>The one form of a host. It is for comparing only: it may be none that can be connected to.</summary>
    /// <param name="host">With an optional port.</param>
    /// <param name="defaultPort">The port that is left out: <see cref="HttpsPort"/> or <see cref="HttpPort"/>.</param>
    public static string Canonical(string host, int defaultPort)
    {
        var lower = host.ToLowerInvariant();
        var end = lower.StartsWith('[') ? lower.IndexOf(']') + 1 : lower.IndexOf(':');
        var name = CanonicalName(end <= 0 ? lower : lower[..end]);
        var port = CanonicalPort(end <= 0 ? "" : lower[end..].TrimStart(':'));
        var isDefault = port.Length == 0 || port == (defaultPort == HttpsPort ? "443" : "80");
        if (isDefault && name is "index.docker.io" or "registry-1.docker.io" or "registry.hub.docker.com")
            name = Reference.DockerHub;
        return isDefault ? name : $"{name}:{port}";
    }

    private static string CanonicalName(string name)
    {
        if (!name.StartsWith('['))
            return name.EndsWith('.') ? name[..^1] : name;
        if (!IPAddress.TryParse(name.AsSpan().Trim("[]"), out var address))
            return name;
        return address.IsIPv4MappedToIPv6 ? $"{address.MapToIPv4()}" : $"[{address}]";
    }

    /// <summary>Go reads <c>00443</c> as 443.</summary>
    private static string CanonicalPort(string port) => port.TrimStart('0') is { Length: > 0 } digits ? digits : port.Length > 0 ? "0" : "";
}
