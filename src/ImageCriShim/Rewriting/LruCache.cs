using System.Diagnostics.CodeAnalysis;

namespace ImageCriShim.Rewriting;

/// <summary>Keeps the most recently used entries. Not thread-safe: the owner's lock covers it.</summary>
/// <param name="capacity">How many; 0 keeps none.</param>
internal sealed class LruCache<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<KeyValuePair<TKey, TValue>>> nodes = [];
    private readonly LinkedList<KeyValuePair<TKey, TValue>> byUse = []; // last used first

    public int Count => nodes.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        value = default;
        if (!nodes.TryGetValue(key, out var node))
            return false;
        byUse.Remove(node);
        byUse.AddFirst(node);
        value = node.Value.Value;
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        if (capacity == 0)
            return;
        Remove(key);
        if (nodes.Count == capacity)
            Remove(byUse.Last!.Value.Key);
        nodes[key] = byUse.AddFirst(KeyValuePair.Create(key, value));
    }

    public void Remove(TKey key)
    {
        if (nodes.Remove(key, out var node))
            byUse.Remove(node);
    }
}
