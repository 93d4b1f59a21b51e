using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Relay;
using ImageCriShim.Rewriting;

namespace ImageCriShim.Cri;

/// <summary>
/// All images, or those of one name: a filter is treated as <see cref="ImageStatusCall"/> treats its image. What is recorded and not among
/// all of them is not on the node any more, and is forgotten.
/// </summary>
internal sealed class ListImagesCall(CallEnvironment environment, CallerHead head) : ImageStatusCall(environment, head)
{
    private IReadOnlyList<RecordedPull> _recorded = []; // before the runtime was asked

    protected override bool HidesForbidden => false; // an empty list is believed (ForgetWhatIsGone), and containerd knows no filters

    protected override string GetImage(ReadOnlySpan<byte> request) => CriMessages.GetFilter(request);

    // docker compares a filter with names as it writes them.
    protected override byte[] Rename(ReadOnlySpan<byte> request, string name) =>
        CriMessages.WithFilter(request, Environment.Runtime.WritesShortNames ? FamiliarName.Of(name).ToString() : name);

    protected override Verdict DecideNone()
    {
        if (Environment.Settings.Names is ShownNames.Actual)
            return Verdict.Forward;
        _recorded = Environment.Record.Snapshot;
        return Verdict.Watch;
    }

    protected override Reply OnAnswer(ReadOnlySpan<byte> message)
    {
        if (Image.Length == 0)
            ForgetWhatIsGone(message);
        return base.OnAnswer(message);
    }

    private void ForgetWhatIsGone(ReadOnlySpan<byte> message)
    {
        if (_recorded.Count == 0 || message.IsEmpty)
            return; // no node is without any image: such an answer is not believed
        var gone = FindGone(message);
        Environment.Record.Forget(gone);
        if (gone.Count > 0)
            Log.PullsForgotten(Environment.Log, gone.Count);
    }

    private List<RecordedPull> FindGone(ReadOnlySpan<byte> message)
    {
        var present = FindPulls(message, Environment.Record.Names);
        var absent = _recorded.Where(pull => !present.Contains(pull)).ToList();
        if (absent.Count == 0)
            return absent;
        // docker answers a pull with a name and a digest instead of an ID, and leaves out Docker Hub's host.
        var names = CriMessages.GetImages(message).SelectMany(image => image.Tags.Concat(image.Digests)).ToHashSet();
        var digests = names.Select(name => ImageId.HexOf(name).ToString()).ToHashSet();
        if (Environment.Runtime.WritesShortNames)
            names.UnionWith([.. names.Select(FamiliarName.Complete)]);
        return
        [
            .. absent.Where(pull => !names.Contains(pull.Actual) && !names.Contains(pull.ActualName?.Kept ?? "")
                && !digests.Contains(ImageId.HexOf(pull.ImageRef).ToString())),
        ];
    }

    /// <summary>The recorded pulls that brought images of a list, by their IDs.</summary>
    private static HashSet<RecordedPull> FindPulls(ReadOnlySpan<byte> message, GivenNames names)
    {
        const int maxIdChars = 256;
        Span<char> id = stackalloc char[maxIdChars];
        var pulls = new HashSet<RecordedPull>(ReferenceEqualityComparer.Instance);
        for (var images = new ProtoReader(message); images.Next();)
        {
            if (images.Number == CriMessages.ResponseImage && ProtoMessage.TryFind(images.Value, CriMessages.ImageId, out var octets) && octets.Length <= maxIdChars)
                pulls.UnionWith(names.OfImage(id[..Encoding.UTF8.GetChars(octets, id)]));
        }

        return pulls;
    }
}
