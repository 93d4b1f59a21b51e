using ImageCriShim.Configuration;

namespace ImageCriShim.Inspection;

/// <summary>Sockets as others write them: as kubelet and crictl do, or with <c>unix:</c> alone in front.</summary>
internal static class SocketPath
{
    private const string Short = "unix:";

    public static bool AreSame(string one, string other) => Endpoint.AreSame(Long(one), Long(other));

    private static string Long(string endpoint) =>
        endpoint.StartsWith(Short, StringComparison.Ordinal) && !endpoint.StartsWith($"{Short}//", StringComparison.Ordinal) ? endpoint[Short.Length..] : endpoint;
}
