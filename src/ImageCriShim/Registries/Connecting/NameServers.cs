using System.Net;
using System.Text;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries.Connecting;

/// <summary>Looks up the addresses of a host name, in the order in which they are to be tried.</summary>
internal delegate Task<IPAddress[]> NameLookup(string host, CancellationToken cancellation);

/// <summary>Names the servers that this node asks for the addresses of names (resolv.conf(5)), for errors about one that does not answer.</summary>
internal static class NameServers
{
    private const string ResolvConf = "/etc/resolv.conf";
    private const int MaxFileBytes = 64 * 1024; // a few lines
    private const int Most = 3; // resolv.conf(5): MAXNS, the resolver asks no more

    /// <summary>Ends a sentence: <c> (name server 10.0.0.2)</c>; empty where none is configured.</summary>
    public static string Describe() =>
        SmallFile.TryRead(ResolvConf, MaxFileBytes, out _) is { } content ? Describe(Encoding.UTF8.GetString(content)) : "";

    /// <param name="content">Of resolv.conf.</param>
    internal static string Describe(string content)
    {
        var servers = content.Split('\n').Select(FindServer).OfType<IPAddress>().Take(Most).ToList();
        return servers.Count == 0 ? "" : $" (name server{(servers.Count > 1 ? "s" : "")} {string.Join(", ", servers)})";
    }

    private static IPAddress? FindServer(string line) =>
        line.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries) is ["nameserver", var address, ..]
            && IPAddress.TryParse(address, out var server) ? server : null;
}
