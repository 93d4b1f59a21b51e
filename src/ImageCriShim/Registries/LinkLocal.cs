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

    /// <summary>Refuses a host that a registry has named and that has such an address among its own.</summary>
    /// <exception cref="LinkLocalException">It has.</exception>
    internal static void Refuse(string host, IReadOnlyList<IPAddress> addresses)
    {
        if (addresses.FirstOrDefault(Is) is { } forbidden)
            throw new LinkLocalException($"{host} has the address {forbidden}, where clouds keep secrets of their own: nothing is asked there");
    }
}

/// <param name="message">For people.</param>
internal sealed class LinkLocalException(string message) : IOException(message);
