using ImageCriShim.Registries;

namespace ImageCriShim.Cri;

/// <summary>
/// Under which other name an image was found on the node when it was last asked for: a guess at where it will be found the next time, so
/// that the runtime can be asked for both names at once.
/// </summary>
internal sealed class FoundElsewhere
{
    private const int MaxImages = 1024; // a node has some hundred; whoever falls out is asked for one name after the other

    private readonly LruCache<string, string> _names = new(MaxImages);
    private readonly Lock _gate = new();

    internal string? Find(string image)
    {
        lock (_gate)
            return _names.TryGet(image, out var name) ? name : null;
    }

    internal void Remember(string image, string name)
    {
        lock (_gate)
            _names.Set(image, name);
    }

    internal void Forget(string image)
    {
        lock (_gate)
            _names.Remove(image);
    }
}
