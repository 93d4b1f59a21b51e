using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>An image as it would be spelled at one registry: something that a runtime can be told to pull.</summary>
/// <param name="Registry">
/// The registry it would come from. For the name as given: the configured registry of the same host whose path fits best, which
/// lends its credential where the caller has none, or null. It has no credential where its path is another than the image's.
/// </param>
/// <param name="Image">What to hand to the runtime.</param>
/// <param name="Name">
/// <paramref name="Image"/> parsed; null where it is no reference (an ID, a malformed name). For a registry that is told the origin
/// (<see cref="Registry.SendsNamespace"/>) the image's name there, which the runtime makes of <paramref name="Image"/> itself.
/// </param>
/// <param name="IsAsGiven">
/// <paramref name="Image"/> is what the caller wrote, so it comes from the host that the caller named and the caller's own
/// credential may go with it.
/// </param>
/// <param name="ServerAddress">
/// A URL of the host that is pulled from, for the credential's <c>server_address</c>: containerd drops a credential whose
/// address is not that host. Empty where the host is not known.
/// </param>
internal sealed record Candidate(Registry? Registry, string Image, Reference? Name, bool IsAsGiven, string ServerAddress)
{
    /// <summary>Whether the runtime goes to the registry by its own list of mirrors, and not by the image's name.</summary>
    public bool IsByRuntimesMirrors => Registry?.Namespace is not null;

    /// <summary>For people: the registry's host, or that this is the name as given.</summary>
    public string Where => IsAsGiven || Registry is null ? "as given" : Registry.Host;
}
