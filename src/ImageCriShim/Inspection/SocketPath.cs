namespace ImageCriShim.Inspection;

/// <summary>Sockets as others write them: with <c>unix://</c> or without, below <c>/run</c> or <c>/var/run</c>, which is the same directory.</summary>
internal static class SocketPath
{
    public static bool AreSame(string one, string other) => Plain(one) == Plain(other);

    /// <summary>As kubelet and crictl want it.</summary>
    public static string AsEndpoint(string path) => $"unix://{path}";

    private static string Plain(string endpoint)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["unix://", "unix:"])
        {
            if (endpoint.StartsWith(scheme, StringComparison.Ordinal))
                endpoint = endpoint[scheme.Length..];
        }

        return endpoint.StartsWith("/var/run/", StringComparison.Ordinal) ? endpoint["/var".Length..] : endpoint;
    }
}
