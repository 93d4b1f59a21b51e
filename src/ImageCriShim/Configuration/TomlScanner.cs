using System.Globalization;
using System.Text;

namespace ImageCriShim.Configuration;

/// <summary>The words of a TOML file, one after the other.</summary>
internal sealed class TomlScanner(string text)
{
    private const char End = '\0';

    private int _at;

    /// <summary>Counted from 1.</summary>
    public int Line { get; private set; } = 1;

    public bool IsAtEnd => _at >= text.Length;

    public char Peek => IsAtEnd ? End : text[_at];

    public bool Take(char c)
    {
        if (IsAtEnd || Peek != c)
            return false;
        Next();
        return true;
    }

    public void Expect(char c)
    {
        SkipBlanks();
        if (!Take(c))
            throw new TomlException($"{c} is missing");
    }

    public void SkipBlanks()
    {
        while (!IsAtEnd && Peek is ' ' or '\t')
            Next();
    }

    /// <summary>Blanks, comments and ends of lines.</summary>
    public void SkipLines()
    {
        while (!IsAtEnd && Peek is ' ' or '\t' or '\r' or '\n' or '#' or '\uFEFF')
        {
            if (Peek == '#')
                SkipComment();
            else
                Next();
        }
    }

    public void EndLine()
    {
        SkipBlanks();
        if (Peek == '#')
            SkipComment();
        if (!IsAtEnd && Peek is not ('\r' or '\n'))
            throw new TomlException("there is more behind the end of a value or a header");
    }

    /// <summary>A key, a number, a date, a truth.</summary>
    public string ReadBare(bool isKey)
    {
        var start = _at;
        while (!IsAtEnd && (char.IsAsciiLetterOrDigit(Peek) || Peek is '_' or '-' || (!isKey && Peek is '+' or '.' or ':')))
            Next();
        return _at > start ? text[start.._at] : throw new TomlException(isKey ? "a key is missing" : "a value is missing");
    }

    public string ReadString()
    {
        var quote = Peek;
        var isLong = text.AsSpan(_at).StartsWith([quote, quote, quote]);
        Skip(isLong ? 3 : 1);
        if (isLong && text.AsSpan(_at).StartsWith("\r\n"))
            Next();
        if (isLong && Peek == '\n')
            Next(); // the first one does not count
        var read = new StringBuilder();
        while (!TakeEnd(quote, isLong, read))
        {
            if (IsAtEnd || (!isLong && Peek == '\n'))
                throw new TomlException("a text in quotes is not ended");
            if (quote == '"' && Take('\\'))
                ReadEscape(read, isLong);
            else
                read.Append(Next());
        }

        return read.ToString();
    }

    /// <summary>A long text may end in one or two quotes of its own.</summary>
    private bool TakeEnd(char quote, bool isLong, StringBuilder read)
    {
        if (!isLong)
            return Take(quote);
        if (!text.AsSpan(_at).StartsWith([quote, quote, quote]))
            return false;
        Skip(3);
        for (var own = 0; own < 2 && Take(quote); own++)
            read.Append(quote);
        return true;
    }

    private void ReadEscape(StringBuilder read, bool isLong)
    {
        var escaped = Next();
        switch (escaped)
        {
            case 'n': read.Append('\n'); break;
            case 't': read.Append('\t'); break;
            case 'r': read.Append('\r'); break;
            case 'b': read.Append('\b'); break;
            case 'f': read.Append('\f'); break;
            case 'e': read.Append('\e'); break;
            case '"' or '\\': read.Append(escaped); break;
            case 'u': read.Append(ReadRune(4)); break;
            case 'U': read.Append(ReadRune(8)); break;
            case ' ' or '\t' or '\r' or '\n' when isLong: SkipSpace(); break;
            default: throw new TomlException("there is no such escape in a text");
        }
    }

    private string ReadRune(int digits)
    {
        if (text.Length - _at < digits || !int.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
            throw new TomlException("there is no such character");
        Skip(digits);
        return new Rune(code).ToString();
    }

    /// <summary>To where a long text goes on.</summary>
    private void SkipSpace()
    {
        while (!IsAtEnd && Peek is ' ' or '\t' or '\r' or '\n')
            Next();
    }

    private void SkipComment()
    {
        while (!IsAtEnd && Peek != '\n')
            Next();
    }

    private void Skip(int count)
    {
        for (var i = 0; i < count; i++)
            Next();
    }

    private char Next()
    {
        if (IsAtEnd)
            throw new TomlException("the file ends too early");
        var c = text[_at++];
        if (c == '\n')
            Line++;
        return c;
    }
}
