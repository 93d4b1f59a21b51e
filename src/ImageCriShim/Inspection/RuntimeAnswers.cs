using System.Text.Json;
using ImageCriShim.Configuration;
using ImageCriShim.Cri;
using ImageCriShim.Relay;

namespace ImageCriShim.Inspection;

/// <summary>A socket that is asked as kubelet would ask it: who is there, which versions of CRI, what it is set up for.</summary>
internal sealed class RuntimeAnswers : IDisposable
{
    // VersionResponse and StatusResponse of runtime.v1 and runtime.v1alpha2.
    private const int RuntimeName = 2;
    private const int RuntimeVersion = 3;
    private const int StatusInfo = 2;
    private const int LongestWords = 300; // of why it does not answer
    private const int LongestShown = 128; // of what a runtime calls itself
    private static readonly byte[] s_verbose = [0x08, 1];

    private readonly RuntimeClient _client;
    private readonly TimeSpan _patience;

    public RuntimeAnswers(string socket, TimeSpan patience)
    {
        _client = new RuntimeClient(new RuntimeSocket(socket, TimeProvider.System));
        (Socket, _patience) = (socket, patience);
    }

    public string Socket { get; }

    /// <summary>As it calls itself: <c>containerd</c>, <c>cri-o</c>, <c>docker</c>; empty where it did not say.</summary>
    public string Name { get; private set; } = "";

    public string Version { get; private set; } = "";

    /// <summary>Those of CRI that it speaks.</summary>
    public IReadOnlyList<string> Versions { get; private set; } = [];

    /// <summary>Asks for the versions.</summary>
    /// <returns>Why it does not answer; null where it does.</returns>
    public async Task<string?> Ask(CriVersion setting, CancellationToken cancellation)
    {
        string? reason = null;
        List<string> spoken = [];
        foreach (var version in setting switch { CriVersion.V1 => ["v1"], CriVersion.V1Alpha2 => ["v1alpha2"], _ => (string[])["v1", "v1alpha2"] })
        {
            var (reply, late) = await Call($"runtime.{version}.RuntimeService/Version", default, cancellation);
            if (reply is { Status.IsOk: true } && Read(() => ProtoMessage.GetString(reply.Message.Span, RuntimeName)) is not null)
            {
                spoken.Add(version);
                (Name, Version) = (Shown(reply, RuntimeName), Shown(reply, RuntimeVersion));
            }
            else
            {
                reason ??= late ?? (reply!.Status.IsOk ? "its answer is no message of CRI" : PrintableText.Of(reply.Status.Message, LongestWords));
            }
        }

        Versions = spoken;
        return spoken.Count > 0 ? null : reason;
    }

    /// <summary>Its settings, where it tells them: <c>config</c> of a verbose Status.</summary>
    public async Task<JsonElement?> FindConfig(CancellationToken cancellation)
    {
        var (reply, _) = await Call($"runtime.{Versions[0]}.RuntimeService/Status", s_verbose, cancellation);
        if (reply is not { Status.IsOk: true })
            return null;
        var config = Read(() => ProtoMessage.GetMessages(reply.Message.Span, StatusInfo).Find(entry => ProtoMessage.GetString(entry, 1) == "config"));
        return config is null || Read(() => ProtoMessage.GetString(config, 2)) is not { } text ? null : Parse(text);
    }

    /// <returns>Null where it does not say.</returns>
    public async Task<bool?> Has(string image, CancellationToken cancellation)
    {
        var request = CriMessages.MakeImageStatusRequest([], image);
        var (reply, _) = await Call($"runtime.{Versions[0]}.ImageService/ImageStatus", request, cancellation);
        return reply is { Status.IsOk: true } ? Read<bool?>(() => CriMessages.HasImage(reply.Message.Span)) : null;
    }

    public void Dispose() => _client.Dispose();

    private static string Shown(RuntimeReply reply, int field) =>
        PrintableText.Of(ProtoMessage.GetString(reply.Message.Span, field), LongestShown);

    private async Task<(RuntimeReply? Reply, string? Late)> Call(string method, ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            return (await _client.Call(new CallerHead($"/{method}", null, null, []), request, _patience, either.Token), null);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (null, $"no answer within {_patience.TotalSeconds:0.###} s");
        }
    }

    /// <returns>Null where it is no message.</returns>
    private static T? Read<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (MalformedMessageException)
        {
            return default;
        }
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null; // some runtimes tell it in a form of their own
        }
    }
}
