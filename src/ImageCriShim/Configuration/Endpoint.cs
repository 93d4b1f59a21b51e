namespace ImageCriShim.Configuration;

/// <summary>A socket as kubelet and crictl name it: a path, with <c>unix://</c>, <c>unix:</c> or nothing in front.</summary>
internal static class Endpoint
{
    private const string Scheme = "unix:";
    private const string NoAuthority = "//";

    public static string Of(string path) => $"{Scheme}{NoAuthority}{path}";

    public static string PathOf(string endpoint) =>
        !endpoint.StartsWith(Scheme, StringComparison.Ordinal) ? endpoint
        : endpoint[Scheme.Length..] is var rest && rest.StartsWith(NoAuthority, StringComparison.Ordinal) ? rest[NoAuthority.Length..] : rest;

    /// <summary>/var/run is a link to /run on every node.</summary>
    public static bool AreSame(string one, string other) => Canonical(one) == Canonical(other);

    private static string Canonical(string endpoint) =>
        PathOf(endpoint) is var path && path.StartsWith("/var/run/", StringComparison.Ordinal) ? path["/var".Length..] : path;
}
