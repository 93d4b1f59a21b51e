namespace ImageCriShim.Relay.Hpack;

/// <summary>The dynamic table of one decoder (RFC 7541 sections 2.3.2 and 4): first in, first out, bounded by octets.</summary>
internal sealed class DynamicTable(int maxSize)
{
    private readonly List<HeaderField> _newestLast = [];
    private int _evicted; // entries at the front of the list that are gone; trimmed in one go

    internal int MaxSize { get; private set; } = maxSize;

    internal int Size { get; private set; }

    internal int Count => _newestLast.Count - _evicted;

    /// <param name="index">0 is the newest entry.</param>
    internal HeaderField At(int index) => _newestLast[_newestLast.Count - 1 - index];

    /// <summary>An entry larger than the table empties it and is not an error (RFC 7541 section 4.4).</summary>
    internal void Add(HeaderField field)
    {
        Evict(MaxSize - field.Size);
        if (field.Size > MaxSize)
            return;
        _newestLast.Add(field);
        Size += field.Size;
    }

    internal void Resize(int maxSize)
    {
        MaxSize = maxSize;
        Evict(maxSize);
    }

    private void Evict(int room)
    {
        while (Count > 0 && Size > room)
        {
            Size -= _newestLast[_evicted].Size;
            _newestLast[_evicted++] = default;
        }

        if (_evicted > 64 && _evicted > _newestLast.Count / 2)
        {
            _newestLast.RemoveRange(0, _evicted);
            _evicted = 0;
        }
    }
}
