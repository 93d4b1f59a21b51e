using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads YAML no deeper than settings ever go. What lies deeper, and keys that are lists or mappings, which are compared with all that is in
/// them, would overflow the stack: that ends the process, and nothing could be said or done about it.
/// </summary>
internal sealed class BoundedYaml(string text) : IParser
{
    private const int MaxDepth = 50; // a credential provider's environment lies 5 deep

    private readonly Parser _parser = new(new StringReader(text));
    private readonly Stack<Collection> _open = [];

    public ParsingEvent? Current => _parser.Current;

    public bool MoveNext()
    {
        if (!_parser.MoveNext())
            return false;
        switch (_parser.Current)
        {
            case SequenceStart or MappingStart:
                NoteItem(isText: false);
                if (_open.Count == MaxDepth)
                    throw Wrong($"there are more than {MaxDepth} levels");
                _open.Push(new Collection(IsMapping: _parser.Current is MappingStart));
                break;
            case SequenceEnd or MappingEnd:
                _open.Pop();
                break;
            case Scalar or AnchorAlias:
                NoteItem(isText: _parser.Current is Scalar);
                break;
        }

        return true;
    }

    private void NoteItem(bool isText)
    {
        if (!_open.TryPeek(out var collection))
            return;
        if (collection.IsMapping && collection.Items % 2 == 0 && !isText)
            throw Wrong("a key must be a text");
        collection.Items++;
    }

    private YamlException Wrong(string what) => new(_parser.Current!.Start, _parser.Current.End, what);

    private sealed record Collection(bool IsMapping)
    {
        /// <summary>So far; in a mapping keys and values.</summary>
        public int Items { get; set; }
    }
}
