namespace ImageCriShim.Configuration;

/// <summary>A socket as kubelet and crictl name it: a path, <c>unix://</c> in front or not.</summary>
internal static class Endpoint
{
    private const string Scheme = "unix://";

    public static string Of(string path) => $"{Scheme}{path}";

    public static string PathOf(string endpoint) => endpoint.StartsWith(Scheme, StringComparison.Ordinal) ? endpoint[Scheme.Length..] : endpoint;

    /// <summary>/var/run is a link to /run on every node.</summary>
    public static bool AreSame(string one, string other) => Canonical(one) == Canonical(other);

    private static string Canonical(string endpoint) =>
        PathOf(endpoint) is var path && path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;
}
