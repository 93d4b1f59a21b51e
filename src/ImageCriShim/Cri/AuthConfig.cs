using System.Diagnostics;
using System.Text;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Cri;

/// <summary>PullImageRequest.auth: the credential that the runtime pulls with.</summary>
internal static class AuthConfig
{
    private const int RequestAuth = 2;
    private const int Username = 1;
    private const int Password = 2;
    private const int Auth = 3;
    private const int ServerAddress = 4;
    private const int IdentityToken = 5;
    private const int RegistryToken = 6;

    /// <summary>Whether the caller sent a secret along: kubelet's empty AuthConfig is none.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static bool IsIn(ReadOnlySpan<byte> request)
    {
        var auth = ProtoMessage.GetMessage(request, RequestAuth);
        return HasText(auth, Username) || HasText(auth, Password) || HasText(auth, Auth) || HasText(auth, IdentityToken) || HasText(auth, RegistryToken);
    }

    /// <summary>Every secret that the runtime is given with a request, whoever put it there.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static SentSecrets ReadSecrets(ReadOnlySpan<byte> request)
    {
        var auth = ProtoMessage.GetMessage(request, RequestAuth);
        if (auth.Length == 0)
            return SentSecrets.None;
        var both = ProtoMessage.GetString(auth, Auth); // user:password in base64, as docker keeps it
        return SentSecrets.Of(
            new Credential.Password(ProtoMessage.GetString(auth, Username), ProtoMessage.GetString(auth, Password)),
            new Credential.RegistryToken(both),
            Decode(both),
            new Credential.IdentityToken(ProtoMessage.GetString(auth, IdentityToken)),
            new Credential.RegistryToken(ProtoMessage.GetString(auth, RegistryToken)));
    }

    private static Credential.Password? Decode(string both) => StatusDetails.TryDecode(both) is { Length: > 0 } octets
        ? Credential.Password.Split(Encoding.UTF8.GetString(octets).TrimEnd('\0'))
        : null;

    /// <summary>The request with this credential and no other, or with none.</summary>
    /// <param name="serverAddress">A URL of the host that is pulled from: containerd drops a credential that is for another.</param>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] Replace(ReadOnlySpan<byte> request, Credential? credential, string serverAddress)
    {
        if (credential is null)
            return ProtoMessage.With(request, RequestAuth, (byte[]?)null);
        var auth = credential switch
        {
            Credential.Password password => ProtoMessage.With(ProtoMessage.With([], Username, password.Username), Password, password.Secret),
            Credential.IdentityToken token => ProtoMessage.With([], IdentityToken, token.Secret), // containerd looks at it only without a username
            Credential.RegistryToken token => ProtoMessage.With([], RegistryToken, token.Secret),
            _ => throw new UnreachableException(),
        };
        auth = ProtoMessage.With(auth, ServerAddress, serverAddress);
        return ProtoMessage.With(request, RequestAuth, auth);
    }

    /// <summary>
    /// Whether the caller's credential is for one of these hosts: it says so in whatever spelling, or says nothing. One that is for
    /// another host is not readdressed, and containerd drops it.
    /// </summary>
    /// <param name="serverAddresses">URLs.</param>
    /// <exception cref="MalformedMessageException"/>
    internal static bool IsFor(ReadOnlySpan<byte> request, params ReadOnlySpan<string> serverAddresses)
    {
        var address = ProtoMessage.GetString(ProtoMessage.GetMessage(request, RequestAuth), ServerAddress);
        var isFor = address.Length == 0;
        foreach (var allowed in serverAddresses)
            isFor |= ImageHost.AreSame(HostOf(address), HostOf(allowed), PortOf(allowed));
        return isFor;

        static int PortOf(string url) => url.StartsWith("http:", StringComparison.Ordinal) ? ImageHost.HttpPort : ImageHost.HttpsPort;
    }

    /// <summary>The request with the caller's own credential, addressed to the host that is pulled from.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] Readdress(ReadOnlySpan<byte> request, string serverAddress)
    {
        var auth = ProtoMessage.GetMessage(request, RequestAuth);
        return ProtoMessage.With(request, RequestAuth, ProtoMessage.With(auth, ServerAddress, serverAddress));
    }

    /// <summary>Of <c>https://index.docker.io/v1/</c>, or of a bare host, as docker's configuration has them.</summary>
    private static string HostOf(string address)
    {
        var scheme = address.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? address : address[(scheme + 3)..];
        return rest.Split('/')[0];
    }

    private static bool HasText(byte[] auth, int field) => ProtoMessage.TryFind(auth, field, out var value) && !value.IsEmpty;
}
