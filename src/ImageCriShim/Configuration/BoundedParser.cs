using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads YAML, and refuses what would overflow the stack or grow without end where a document is made of it, or is walked through: values
/// that lie very deep in one another, keys that are no texts, because such a key can hold itself, and aliases that hold themselves or stand
/// for very much.
/// </summary>
internal sealed class BoundedParser(TextReader text) : IParser
{
    private const int MaxDepth = 32; // settings lie 5 deep
    private const int MaxNodes = 100_000; // with what aliases stand for; a thousand registries are 10,000

    private readonly Parser _parser = new(text);
    private readonly Stack<Place> _open = new(); // in what is open, where the next node comes
    private readonly Stack<(AnchorName Anchor, int Before)> _collections = new(); // that are open
    private readonly Dictionary<AnchorName, int> _sizes = []; // in nodes, of what anchors name
    private int _nodes; // so far, each alias as what it stands for

    private enum Place
    {
        Item,
        Key,
        Value,
    }

    public ParsingEvent? Current => _parser.Current;

    /// <summary>How far it came, counted from 1.</summary>
    public long Line => Math.Max(1, Current?.End.Line ?? 1);

    /// <exception cref="YamlException"/>
    public bool MoveNext()
    {
        if (!_parser.MoveNext())
            return false;
        switch (Current)
        {
            case AnchorAlias alias:
                Begin(alias);
                Count(alias);
                break;
            case NodeEvent node:
                Begin(node);
                Count(node);
                break;
            case MappingEnd or SequenceEnd:
                _open.Pop();
                EndCollection();
                break;
        }

        return true;
    }

    private void Begin(ParsingEvent node)
    {
        if (_open.TryPop(out var place))
        {
            if (place is Place.Key && node is not Scalar)
                throw new YamlException(node.Start, node.End, "a key is no text; put it into quotes if it is one");
            _open.Push(place switch { Place.Key => Place.Value, Place.Value => Place.Key, _ => place });
        }

        if (node is not (MappingStart or SequenceStart))
            return;
        if (_open.Count == MaxDepth)
            throw new YamlException(node.Start, node.End, $"values lie more than {MaxDepth} deep in one another");
        _open.Push(node is MappingStart ? Place.Key : Place.Item);
    }

    private void Count(NodeEvent node)
    {
        _sizes.Remove(node.Anchor); // the name stands for this from here on
        if (node is MappingStart or SequenceStart)
            _collections.Push((node.Anchor, _nodes));
        else if (!node.Anchor.IsEmpty)
            _sizes[node.Anchor] = 1;
        _nodes++;
    }

    /// <summary>One without an anchor is left to whoever makes a document of it.</summary>
    private void Count(AnchorAlias alias)
    {
        if (!_sizes.TryGetValue(alias.Value, out var size) && _collections.Any(open => open.Anchor == alias.Value))
            throw new YamlException(alias.Start, alias.End, "an alias stands within what it stands for; write out what is meant");
        _nodes += size;
        if (_nodes > MaxNodes)
            throw new YamlException(alias.Start, alias.End, $"aliases stand for more than {MaxNodes} values; write out what is meant");
    }

    private void EndCollection()
    {
        var (anchor, before) = _collections.Pop();
        if (!anchor.IsEmpty)
            _sizes[anchor] = _nodes - before;
    }
}
