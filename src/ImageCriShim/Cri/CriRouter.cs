using System.Text;
using ImageCriShim.Relay;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Cri;

/// <summary>Picks out the calls that are edited. Everything else is forwarded, so there is no list of the rest.</summary>
internal sealed class CriRouter(Func<CallEnvironment> current)
{
    private delegate CriCall MakeCall(CallEnvironment environment, CallerHead head);

    // v1 and v1alpha2 share their messages.
    private static readonly (byte[] Path, MakeCall Make)[] s_edited =
    [
        .. from service in new[] { "/runtime.v1.ImageService/", "/runtime.v1alpha2.ImageService/" }
           from method in new (string Name, MakeCall Make)[]
           {
               ("PullImage", static (environment, head) => new PullImageCall(environment, head)),
               ("ImageStatus", static (environment, head) => new ImageStatusCall(environment, head)),
               ("RemoveImage", static (environment, head) => new RemoveImageCall(environment, head)),
           }
           select (Encoding.ASCII.GetBytes(service + method.Name), method.Make),
    ];

    internal CallRoute Route(ReadOnlySpan<byte> path, IReadOnlyList<HeaderField> headers)
    {
        foreach (var (edited, make) in s_edited)
        {
            if (path.SequenceEqual(edited))
                return new CallRoute(make(current(), CallerHead.Read(headers)));
        }

        return default;
    }
}
