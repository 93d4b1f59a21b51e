namespace ImageCriShim.Configuration;

/// <summary>
/// Reads TOML (toml.io, 1.0), in which containerd and CRI-O are configured. It is more patient than they are: a table may be opened twice,
/// and what is written without quotes need not be a number.
/// </summary>
internal sealed class TomlParser
{
    private const int MaxDepth = 32; // lists and tables within each other; runtimes' files have two

    private readonly TomlScanner _in;
    private readonly TomlTable _root = new(0);
    private TomlTable _table;
    private int _depth;

    private TomlParser(string text) => (_in, _table) = (new TomlScanner(text), _root);

    /// <param name="text">Of the file.</param>
    /// <param name="problem">What is wrong and where, to follow the file's name: <c>line 3: ...</c>.</param>
    /// <returns>Null where it is no TOML.</returns>
    public static TomlTable? Parse(string text, out string problem)
    {
        var parser = new TomlParser(text);
        try
        {
            parser.ReadAll();
            problem = "";
            return parser._root;
        }
        catch (TomlException e)
        {
            problem = $"line {parser._in.Line}: {e.Message}";
            return null;
        }
    }

    private void ReadAll()
    {
        for (_in.SkipLines(); !_in.IsAtEnd; _in.SkipLines())
        {
            if (_in.Take('['))
                ReadHeader();
            else
                ReadEntry(_table);
            _in.EndLine();
        }
    }

    private void ReadHeader()
    {
        var (isOfList, line) = (_in.Take('['), _in.Line);
        var keys = ReadKeys();
        _in.Expect(']');
        if (isOfList)
            _in.Expect(']');
        var parent = Walk(_root, keys[..^1]);
        _table = isOfList ? AddTo(parent, keys[^1], line) : Open(parent, keys[^1], line);
    }

    private void ReadEntry(TomlTable table)
    {
        var line = _in.Line;
        var keys = ReadKeys();
        _in.Expect('=');
        var value = ReadValue();
        if (!Walk(table, keys[..^1]).TryAdd(keys[^1], value, line))
            throw new TomlException($"{keys[^1]} stands there twice");
    }

    private List<string> ReadKeys()
    {
        List<string> keys = [];
        do
        {
            if (keys.Count == MaxDepth)
                throw new TomlException("a key has too many parts");
            _in.SkipBlanks();
            keys.Add(_in.Peek is '"' or '\'' ? _in.ReadString() : _in.ReadBare(isKey: true));
            _in.SkipBlanks();
        }
        while (_in.Take('.'));
        return keys;
    }

    private object ReadValue()
    {
        if (++_depth > MaxDepth)
            throw new TomlException("lists and tables lie too deep within each other");
        _in.SkipBlanks();
        object value = _in.Peek switch
        {
            '"' or '\'' => _in.ReadString(),
            '[' => ReadList(),
            '{' => ReadInline(),
            _ => _in.ReadBare(isKey: false) switch { "true" => true, "false" => false, var bare => new TomlBare(bare) },
        };
        _depth--;
        return value;
    }

    private List<object> ReadList()
    {
        _in.Expect('[');
        List<object> list = [];
        for (_in.SkipLines(); !_in.Take(']'); _in.SkipLines())
        {
            list.Add(ReadValue());
            _in.SkipLines();
            if (!_in.Take(',') && _in.Peek != ']')
                throw new TomlException("a list is not ended");
        }

        return list;
    }

    private TomlTable ReadInline()
    {
        var table = new TomlTable(_in.Line);
        _in.Expect('{');
        for (_in.SkipLines(); !_in.Take('}'); _in.SkipLines())
        {
            ReadEntry(table);
            _in.SkipLines();
            if (!_in.Take(',') && _in.Peek != '}')
                throw new TomlException("a table in braces is not ended");
        }

        return table;
    }

    private TomlTable Walk(TomlTable from, List<string> keys) => keys.Aggregate(from, (table, key) => Open(table, key, _in.Line));

    private static TomlTable Open(TomlTable parent, string key, int line)
    {
        switch (parent.Find(key))
        {
            case TomlTable known:
                return known;
            case List<object> list when list is [.., TomlTable last]:
                return last;
            case null:
                var made = new TomlTable(line);
                parent.TryAdd(key, made, line);
                return made;
            default:
                throw new TomlException($"{key} is no table");
        }
    }

    private static TomlTable AddTo(TomlTable parent, string key, int line)
    {
        if (!parent.Has(key))
            parent.TryAdd(key, new List<object>(), line);
        if (parent.Find(key) is not List<object> list)
            throw new TomlException($"{key} is no list of tables");
        var made = new TomlTable(line);
        list.Add(made);
        return made;
    }
}

/// <summary>What is wrong with it, without quoting a value.</summary>
internal sealed class TomlException(string message) : Exception(message);
