using System.Diagnostics;
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

    /// <summary>The request with the caller's own credential, addressed to the host that is pulled from.</summary>
    /// <exception cref="MalformedMessageException"/>
    internal static byte[] Readdress(ReadOnlySpan<byte> request, string serverAddress)
    {
        var auth = ProtoMessage.GetMessage(request, RequestAuth);
        return ProtoMessage.With(request, RequestAuth, ProtoMessage.With(auth, ServerAddress, serverAddress));
    }

    private static bool HasText(byte[] auth, int field) => ProtoMessage.TryFind(auth, field, out var value) && !value.IsEmpty;
}
