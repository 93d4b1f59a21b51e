using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Registries;

/// <summary>Keeps the most recently used entries. Not thread-safe: the owner's lock covers it.</summary>
/// <param name="capacity">How many; 0 keeps none.</param>
internal sealed class LruCache<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<KeyValuePair<TKey, TValue>>> _nodes = [];
    private readonly LinkedList<KeyValuePair<TKey, TValue>> _byUse = []; // last used first

    public int Count => _nodes.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        if (!_nodes.TryGetValue(key, out var node))
            return false;
        _byUse.Remove(node);
        _byUse.AddFirst(node);
        value = node.Value.Value;
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        if (capacity == 0)
            return;
        Remove(key);
        if (_nodes.Count == capacity)
            Remove(_byUse.Last!.Value.Key);
        _nodes[key] = _byUse.AddFirst(KeyValuePair.Create(key, value));
    }

    public void Remove(TKey key)
    {
        if (_nodes.Remove(key, out var node))
            _byUse.Remove(node);
    }

    public void RemoveWhere(Func<TKey, bool> isUnwanted)
    {
        foreach (var key in _nodes.Keys.Where(isUnwanted).ToList())
            Remove(key);
    }
}
