using System.Text;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>
/// Picks out the calls that are edited, and says under which name the runtime has a method. Everything else is forwarded, so there is no list
/// of the rest.
/// </summary>
/// <param name="current">What edited calls work with; null: no call is edited, for want of settings that can be used (<c>--fail-open</c>).</param>
/// <param name="begin">The versions that the runtime speaks, found out for a new connection; the argument says whether the caller is still there.</param>
internal sealed class CriRouter(Func<CallEnvironment?> current, Func<Func<bool>, RuntimeVersions> begin)
{
    private delegate CriCall MakeCall(CallEnvironment environment, CallerHead head);

    // v1 and v1alpha2 share their messages.
    private static readonly (byte[] Path, string Method, MakeCall Make)[] s_edited =
    [
        .. from version in new[] { "/runtime.v1.", "/runtime.v1alpha2." }
           from method in new (string Name, MakeCall Make)[]
           {
               ("ImageService/PullImage", static (environment, head) => new PullImageCall(environment, head)),
               ("ImageService/ImageStatus", static (environment, head) => new ImageStatusCall(environment, head)),
               ("ImageService/ListImages", static (environment, head) => new ListImagesCall(environment, head)),
               ("ImageService/StreamImages", static (environment, head) => new StreamImagesCall(environment, head)),
               ("ImageService/RemoveImage", static (environment, head) => new RemoveImageCall(environment, head)),
               ("RuntimeService/CreateContainer", static (environment, head) => new CreateContainerCall(environment, head)),
               ("RuntimeService/ContainerStatus", static (environment, head) => new ContainerStatusCall(environment, head)),
           }
           select (Encoding.ASCII.GetBytes(version + method.Name), method.Name, method.Make),
    ];

    private static readonly string[] s_judged = ["ImageService/PullImage", "ImageService/ImageStatus", "RuntimeService/CreateContainer"];

    /// <summary>For a new connection.</summary>
    internal RouteCall Begin(Func<bool> isWanted)
    {
        var versions = begin(isWanted);
        return (path, headers) => Route(versions, path, headers);
    }

    /// <summary>
    /// Whether the call may go on for ever. Of CRI only the watch of events does; of what other services on the runtime's socket do nothing is
    /// known (containerd's Events/Subscribe has no end, and sends no headers before the first event).
    /// </summary>
    internal static bool IsStream(ReadOnlySpan<byte> path) => !path.StartsWith("/runtime.v1"u8) || path.EndsWith("/GetContainerEvents"u8);

    private CallRoute Route(RuntimeVersions versions, ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers)
    {
        var renamed = versions.Rename(path);
        if (current() is not { } environment)
            return new CallRoute(null, renamed, IsStream(path));
        if (environment.Policy.IsSet && FindOtherReading(path, headers) is { } method)
            return new CallRoute(new RefusedCall(method), renamed, IsStream(path));
        foreach (var (edited, name, make) in s_edited)
        {
            if (!path.SequenceEqual(edited))
                continue;
            var call = make(environment, CallerHead.Of(headers, renamed));
            call.Method = name;
            return new CallRoute(call, renamed);
        }

        return new CallRoute(null, renamed, IsStream(path));
    }

    /// <summary>
    /// The method that names an image and that some runtime reads where we read another: grpc-go takes a path without its slash for the
    /// same method, and Python's gRPC the last of several paths (RFC 9113 section 8.3.1 forbids them). No caller sends such.
    /// </summary>
    /// <returns>Null where there is none.</returns>
    private static string? FindOtherReading(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers)
    {
        if (!path.StartsWith((byte)'/'))
            return FindJudged(path);
        var isFirst = true;
        foreach (var field in headers)
        {
            if (!field.IsNamed(":path"u8))
                continue;
            if (!isFirst && FindJudged(field.Value.Span.TrimStart((byte)'/')) is { } method)
                return method;
            isFirst = false;
        }

        return null;
    }

    private static string? FindJudged(ReadOnlySpan<byte> withoutSlash)
    {
        foreach (var (edited, method, _) in s_edited)
        {
            if (s_judged.Contains(method) && withoutSlash.SequenceEqual(edited.AsSpan(1)))
                return method;
        }

        return null;
    }
}
