using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Registries;

/// <summary>
/// Link-local addresses (RFC 3927, RFC 4291 section 2.5.6): there clouds answer with secrets of the node. A registry may have one, and nobody
/// is sent to one by the word of a registry.
/// </summary>
internal static class LinkLocal
{
    internal static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.IsIPv6LinkLocal || (address.AddressFamily is AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, _, _]);
    }

    /// <summary>Connects to a host that a registry has named, which may be a name of such an address.</summary>
    /// <exception cref="LinkLocalException">It is.</exception>
    /// <exception cref="SocketException">There is no connection.</exception>
    internal static async Task ConnectElsewhere(Socket socket, DnsEndPoint host, CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(host.Host, cancellation);
        if (Array.Find(addresses, Is) is { } forbidden)
            throw new LinkLocalException($"{host.Host} has the address {forbidden}, where clouds keep secrets of their own: nothing is asked there");
        await socket.ConnectAsync(addresses, host.Port, cancellation);
    }
}

/// <param name="message">For people.</param>
internal sealed class LinkLocalException(string message) : IOException(message);
