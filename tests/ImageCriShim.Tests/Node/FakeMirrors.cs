using System.Text.RegularExpressions;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>Registries on sockets, each under a letter, that give an image under whatever path it is asked for, or have none.</summary>
internal sealed class FakeMirrors : IAsyncDisposable
{
    private readonly Dictionary<char, FakeRegistry> _registries = [];

    public FakeMirrors(string letters)
    {
        foreach (var letter in letters)
            _registries[letter] = FakeRegistry.Start();
    }

    /// <summary>Puts the hosts into a text for <c>{a}</c>, <c>{b}</c> and so on.</summary>
    public string Fill(string text) => _registries.Aggregate(text, (filled, registry) => filled.Replace($"{{{registry.Key}}}", registry.Value.Host));

    /// <summary>From now on these registries give that image, and the others say that there is none.</summary>
    public void Serve(TestImage image, string letters)
    {
        foreach (var (letter, registry) in _registries)
            registry.Behave = letters.Contains(letter) ? request => Answer(image, request) : _ => new FakeAnswer(404);
    }

    /// <summary>What has been asked of all since then.</summary>
    public MirrorRequests Since(Dictionary<char, int> marks) =>
        new([.. _registries.SelectMany(registry => registry.Value.Requests.Skip(marks[registry.Key]).Select(request => new MirrorRequest(registry.Key, request)))]);

    public Dictionary<char, int> Mark() => _registries.ToDictionary(registry => registry.Key, registry => registry.Value.Requests.Count);

    public async ValueTask DisposeAsync()
    {
        foreach (var registry in _registries.Values)
            await registry.DisposeAsync();
    }

    private static FakeAnswer Answer(TestImage image, FakeRequest request)
    {
        var path = request.Path.Split('?')[0];
        var (kind, name) = (path.Split('/')[^2], path.Split('/')[^1]);
        if (kind == "manifests" && (!name.StartsWith("sha256:") || name == image.Digest))
        {
            var (type, body) = image.Manifests[^1];
            return new FakeAnswer(200) { Body = body, Headers = { ["Content-Type"] = type, ["Docker-Content-Digest"] = image.Digest } };
        }

        return kind == "blobs" && image.Blobs.FirstOrDefault(blob => TestImage.DigestOf(blob) == name) is { } found
            ? new FakeAnswer(200) { Body = found, Headers = { ["Content-Type"] = "application/octet-stream" } }
            : new FakeAnswer(404);
    }
}

/// <param name="Registry">The letter of the registry that was asked.</param>
internal sealed record MirrorRequest(char Registry, FakeRequest Request)
{
    public bool IsOfShim => Request.Headers.GetValueOrDefault("User-Agent", "").StartsWith("image-cri-shim/", StringComparison.Ordinal);

    public bool IsBlob => Request.Path.Contains("/blobs/", StringComparison.Ordinal);

    /// <summary>The registry and the path of the manifest that is asked for, without <c>?ns=</c>; null for something else.</summary>
    public string? Manifest => Request.Path.Contains("/manifests/", StringComparison.Ordinal) ? $"{Registry} {Request.Method} {Request.Path.Split('?')[0]}" : null;

    /// <summary>The same with it.</summary>
    public string Whole => $"{Registry} {Request.Path}";
}

internal sealed record MirrorRequests(IReadOnlyList<MirrorRequest> All)
{
    /// <summary>The places that a runtime took blobs of the image from, as <c>letter path</c>.</summary>
    /// <param name="letters">Of those that had it: whoever has not is asked in vain.</param>
    public string SourcesAmong(string letters) => string.Join(", ", All.Where(request => request is { IsBlob: true, IsOfShim: false } && letters.Contains(request.Registry))
        .Select(request => $"{request.Registry} {Regex.Replace(request.Request.Path.Split('?')[0], "/blobs/.*", "")}").Distinct().Order());

    /// <summary>Where the manifest was asked for.</summary>
    public string Asked => string.Join(", ", All.Select(request => request.Manifest).OfType<string>().Where(asked => asked.Contains(" HEAD ")).Distinct().Order());

    /// <summary>With the origin, which mirrors are told.</summary>
    public IEnumerable<string> Told => All.Where(request => request.Manifest is not null && request.Request.Path.Contains("?ns=", StringComparison.Ordinal)).Select(request => request.Whole).Distinct();
}
