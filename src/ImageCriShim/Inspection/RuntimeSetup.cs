using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Relay;

namespace ImageCriShim.Inspection;

/// <summary>
/// How the runtime is set up, as far as it matters here: as it says itself, and as its config files say where it does not.
/// </summary>
internal abstract class RuntimeSetup
{
    /// <summary>What it starts each pod with; null where nobody says.</summary>
    public abstract string? PauseImage { get; }

    /// <summary>Has it start pods with another image.</summary>
    public abstract IEnumerable<Remedy> SetPauseImage(string image);

    /// <summary>Whether it can pull from a registry that does not speak TLS as the world does.</summary>
    /// <returns>What to do so that it can; none where it can already.</returns>
    public abstract IEnumerable<Remedy> Admit(RegistryNeeds needs);

    /// <summary>Where it asks for images that name this host, in this order: URLs.</summary>
    public abstract IReadOnlyList<string> PlacesOf(string host);

    /// <summary>What tells of the pause image and of registries, for people.</summary>
    public abstract string Place { get; }

    /// <summary>What else of it matters to images that come from these registries, or are given by other names.</summary>
    public virtual IEnumerable<Finding> Look(IReadOnlyList<Registry> registries) => [];

    /// <param name="runtime">Which is asked.</param>
    /// <param name="root">Its files.</param>
    /// <param name="patience">Of each question.</param>
    /// <param name="cancellation">Nobody wants to know any more.</param>
    /// <returns>Null for a runtime that nothing is known of.</returns>
    public static async Task<RuntimeSetup?> Find(RuntimeAnswers runtime, NodeRoot root, TimeSpan patience, CancellationToken cancellation)
    {
        var told = await runtime.FindConfig(cancellation);
        return runtime.Name switch
        {
            "containerd" => ContainerdSetup.Find(runtime, told, root, Arguments(runtime, root)),
            "cri-o" => new CrioSetup(runtime, told, root),
            "docker" => await DockerSetup.Find(told, root, Arguments(runtime, root), patience, cancellation),
            _ => null,
        };
    }

    private protected static string? Text(JsonElement? parent, string key) =>
        parent is { ValueKind: JsonValueKind.Object } map && map.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private protected static JsonElement? Child(JsonElement? parent, string key) =>
        parent is { ValueKind: JsonValueKind.Object } map && map.TryGetProperty(key, out var value) ? value : null;

    /// <summary>How the runtime was started.</summary>
    private static string[] Arguments(RuntimeAnswers runtime, NodeRoot root)
    {
        if (!root.IsThisNode)
            return [];
        using var socket = new RuntimeSocket(runtime.Socket, TimeProvider.System).TryConnect(out _);
        return socket is not null && SocketPeer.FindProcess(socket) is { } process ? ProcessArguments.Of(process) : [];
    }
}

/// <summary>What a registry needs of whoever pulls from it.</summary>
/// <param name="Host">With its port, as it stands in the names of images.</param>
/// <param name="IsPlain">It speaks plain http.</param>
/// <param name="Ca">The file of an authority that the system does not know; null where it is not needed.</param>
/// <param name="IsUnverified">Its certificate is to be believed whatever it is.</param>
internal sealed record RegistryNeeds(string Host, bool IsPlain, IReadOnlyList<string> Ca, bool IsUnverified)
{
    /// <summary>Whether a private authority is to be believed: one of these files has it.</summary>
    public bool HasCa => Ca.Count > 0;

    /// <summary>A command that puts them into one file.</summary>
    public string InstallCa(string file) => Ca is [var only]
        ? $"install -D -m 644 {only} {file}"
        : $"cat {string.Join(' ', Ca)} | install -D -m 644 /dev/stdin {file}";

    public bool IsNothing => !IsPlain && !HasCa && !IsUnverified;

    public string Url => $"{(IsPlain ? "http" : "https")}://{Host}";

    /// <summary>Runtimes speak plain http there without being told.</summary>
    public bool IsLoopback => Uri.TryCreate(Url, UriKind.Absolute, out var uri) && uri.IsLoopback;

    public override string ToString() => IsPlain ? "plain http" : IsUnverified ? "a certificate that is not to be verified" : "a private authority";
}
