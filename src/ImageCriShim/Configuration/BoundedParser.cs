using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads YAML, and refuses what would overflow the stack, and so end the process, where a document is made of it: values that lie very
/// deep in one another, and keys that are no texts, because such a key can hold itself.
/// </summary>
internal sealed class BoundedParser(TextReader text) : IParser
{
    private const int MaxDepth = 32; // settings lie 5 deep

    private readonly Parser _parser = new(text);
    private readonly Stack<Place> _open = new(); // in what is open, where the next node comes

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
        if (Current is NodeEvent or AnchorAlias)
            BeginNode(Current);
        else if (Current is MappingEnd or SequenceEnd)
            _open.Pop();
        return true;
    }

    private void BeginNode(ParsingEvent node)
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
}
