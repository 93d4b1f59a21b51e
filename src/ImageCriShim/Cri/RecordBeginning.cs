using ImageCriShim.Images;
using ImageCriShim.Rewriting;
using Microsoft.Extensions.Logging;

namespace ImageCriShim.Cri;

/// <summary>
/// A record of pulls that had to be begun anew, because it is the first start or the old one is lost: the images that are on the node are
/// taken into it by the names that they must have been asked for by, as far as the settings tell. Once, before the first caller is served.
/// </summary>
internal sealed class RecordBeginning(NodeState state, RuntimeClient runtime, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2); // of all callers together, for a runtime that cannot list; a list takes milliseconds
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50); // of a caller that waits for another one's list

    private readonly Lock _gate = new();
    private bool _isDone;

    /// <param name="resolver">Of the settings in force.</param>
    /// <param name="versions">What the runtime speaks.</param>
    /// <param name="isWanted">Whether the caller is still there.</param>
    internal void Begin(Resolver resolver, RuntimeVersions versions, Func<bool> isWanted)
    {
        if (Volatile.Read(ref _isDone) || !state.IsNew) // while nobody knows, because the disk does not answer, it is not
            return;
        while (!_gate.TryEnter(s_look))
        {
            if (!isWanted())
                return;
        }

        try
        {
            if (!_isDone)
                Volatile.Write(ref _isDone, TryBegin(resolver, versions, isWanted));
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <returns>False: the next connection is to try again.</returns>
    private bool TryBegin(Resolver resolver, RuntimeVersions versions, Func<bool> isWanted)
    {
        var begin = time.GetTimestamp();
        var path = $"/runtime.{(versions.V1 ? "v1" : "v1alpha2")}.ImageService/ListImages";
        var reply = runtime.CallAndWait(path, () => time.GetElapsedTime(begin) < s_patience && isWanted());
        if (reply is not { Status.IsOk: true })
            return time.GetElapsedTime(begin) >= s_patience || reply?.Status.Code is StatusCode.ResourceExhausted; // useful, but never needed
        Adopt(reply.Message, resolver);
        state.Begin();
        return true;
    }

    private void Adopt(ReadOnlyMemory<byte> listImagesResponse, Resolver resolver)
    {
        try
        {
            var pulls = CriMessages.GetImages(listImagesResponse.Span).SelectMany(image => FindPulls(image, resolver))
                .GroupBy(pull => pull.Key).Select(pulls => FindFirst(pulls, resolver)).ToList();
            pulls.ForEach(state.Pulls.Add);
            if (pulls.Count > 0)
                Log.RecordBegun(log, pulls.Count);
        }
        catch (MalformedMessageException)
        {
            // The runtime's answer is its callers' to judge.
        }
    }

    private IEnumerable<RecordedPull> FindPulls(RuntimeImage image, Resolver resolver)
    {
        var digests = image.Digests.Select(Parse).OfType<Reference>().ToList();
        var tags = image.Tags.Select(Parse).OfType<Reference>().ToList();
        // A name with a tag says all that one with a digest in the same repository does.
        foreach (var actual in tags.Concat(digests.ExceptBy(tags.Select(tag => tag.Name), digest => digest.Name)))
        {
            var digest = digests.Find(name => name.Name == actual.Name)?.Digest;
            if (resolver.FindOrigin(actual) is { } given && state.Pulls.Find(given.Kept) is null)
                yield return new RecordedPull(given.Kept, actual.Kept, actual.Domain, image.Id, time.GetUtcNow(), PulledWith.Unknown, digest);
        }
    }

    /// <summary>Images of several registries may have been asked for by one name: it is the one that would be looked for first.</summary>
    private static RecordedPull FindFirst(IGrouping<string, RecordedPull> pulls, Resolver resolver)
    {
        var names = resolver.Candidates(pulls.Key).Select(candidate => candidate.Image).ToList();
        return pulls.MinBy(pull => names.IndexOf(pull.Actual))!;
    }

    private static Reference? Parse(string name) => Reference.TryParse(name, out var reference) ? reference : null;
}
