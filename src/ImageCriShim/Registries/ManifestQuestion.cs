using System.Net;
using ImageCriShim.Images;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Registries;

/// <summary>
/// The question for a manifest, in as few requests as tell: HEAD, and GET where a registry refuses HEAD, where its headers do not
/// tell what it has, and once for each index, whose platforms only the body lists.
/// </summary>
internal sealed class ManifestQuestion(Platform platform, TimeProvider time)
{
    private const int MaxVerdicts = 1024; // a digest and a few words each; a node runs some hundred images

    // What is known of indexes, by digest: the same bytes at every registry, so Docker Hub need not count another GET.
    private readonly LruCache<string, ProbeResult> _verdicts = new(MaxVerdicts);
    private readonly Lock _gate = new(); // of the verdicts
    private readonly HeldBodies _held = new();

    /// <param name="image">The image's name at the registry.</param>
    /// <param name="credential">What goes along: not to be repeated in the text of a refusal.</param>
    /// <param name="send">Sends one request for the manifest.</param>
    /// <param name="cancellation">Nobody wants the answer any more.</param>
    /// <exception cref="IOException">The registry ended its answer too early.</exception>
    public async Task<ProbeResult> Ask(
        Reference image, Credential? credential, Func<HttpMethod, Task<ManifestReply>> send, CancellationToken cancellation)
    {
        using (var head = await send(HttpMethod.Head))
        {
            if (head is { Failure: null, HasBody: true })
                return await Judge(head, image, credential, cancellation);
            var answer = head.Failure ?? ManifestAnswer.Judge(head.Response, image, head.AsWhom, words: null, time.GetUtcNow());
            if (answer is ProbeResult.Found found && ManifestTypes.IsIndex(found.MediaType))
                answer = FindVerdict(found.Digest);
            if (answer is not null && (head.Failure is not null || !ManifestAnswer.RefusesHead(head.Response.StatusCode)))
                return answer;
        }

        using var get = await send(HttpMethod.Get);
        return get.Failure ?? await Judge(get, image, credential, cancellation);
    }

    private async Task<ProbeResult> Judge(ManifestReply reply, Reference image, Credential? credential, CancellationToken cancellation)
    {
        var content = reply.Response.Content;
        var words = reply.Response.StatusCode is HttpStatusCode.OK
            ? null
            : await RegistryErrors.Read(reply, credential, EchoedNames.Of($"{image}"), cancellation);
        if (ManifestAnswer.Judge(reply.Response, image, reply.AsWhom, words, time.GetUtcNow()) is { } known and not ProbeResult.Found)
            return known;
        return await BoundedBody.Read(content, ManifestBody.MaxBytes, cancellation, _held) is { } body
            ? Remember(ManifestBody.Judge(body, content.Headers.ContentType?.MediaType, image, platform))
            : ManifestBody.TooLarge;
    }

    private ProbeResult? FindVerdict(string? digest)
    {
        lock (_gate)
            return digest is not null && _verdicts.TryGet(digest, out var verdict) ? verdict : null;
    }

    private ProbeResult Remember(ProbeResult result)
    {
        var digest = result switch
        {
            ProbeResult.Found found when ManifestTypes.IsIndex(found.MediaType) => found.Digest,
            ProbeResult.Missing missing => missing.Digest,
            _ => null,
        };
        if (digest is null)
            return result;
        lock (_gate)
            _verdicts.Set(digest, result);
        return result;
    }
}
