namespace ImageCriShim.Installation;

/// <summary>
/// Where words end in a text that may be quoted twice, as in <c>ARGS="--token='two words' --v=2"</c>. It is asked for places in their order,
/// so that the text is read once.
/// </summary>
internal sealed class QuoteScanner(string text)
{
    private const char None = '\0';

    private int _at;
    private char _open = None;

    /// <summary>Whether a place is within quotes that began before it on its line.</summary>
    public bool IsWithin(int place) => OpenAt(place) != None;

    /// <summary>Where a value ends that begins at a place: at a space, or where the quotes end that it is in.</summary>
    public int EndOfWord(int start) => End(OpenAt(start), start, isWord: true);

    /// <summary>The same of a value that may hold spaces: only quotes end it.</summary>
    public int EndOfQuoted(int start) => End(OpenAt(start), start, isWord: text[start] is '"' or '\'');

    private int End(char outer, int start, bool isWord)
    {
        var inner = (Quote: None, IsEscaped: false); // within the value; those of the outer kind only where they are escaped, or at its very beginning
        for (var at = start; at < text.Length; at++)
        {
            var isEscaped = text[at] == '\\' && at + 1 < text.Length;
            if (isEscaped && inner.Quote == None && EndsAtContinuation(at))
                return at;
            var (c, first) = (text[isEscaped ? ++at : at], at == start + (isEscaped ? 1 : 0));
            if (inner.Quote != None)
                inner = (c, isEscaped) == inner ? default : inner;
            else if (c is '"' or '\'' && (c != outer || isEscaped || first))
                inner = (c, isEscaped);
            else if (!isEscaped && (c == outer || c == '\n' || (isWord && (char.IsWhiteSpace(c) || EndsItem(at, start)))))
                return at;
        }

        return inner.Quote != None && text.IndexOf('\n', start) is >= 0 and var end ? end : text.Length; // quotes that nobody has closed
    }

    /// <summary>Before the next item of a list.</summary>
    private bool EndsItem(int at, int start) => text[at] is ',' or ']' or '}' && at > start && text[at - 1] is '"' or '\'';

    /// <summary>A line goes on below with another word.</summary>
    private bool EndsAtContinuation(int at)
    {
        var next = text.AsSpan(at + 1);
        return next is ['\n', ' ' or '\t', ..] or ['\r', '\n', ' ' or '\t', ..] or ['\n'];
    }

    private bool IsApostrophe(int at) => at > 0 && char.IsLetterOrDigit(text[at - 1]);

    /// <summary>Quotes that are open at a place.</summary>
    private char OpenAt(int place)
    {
        if (place < _at)
            (_at, _open) = (text.LastIndexOf('\n', Math.Max(0, place - 1)) + 1, None);
        for (; _at < place; _at++)
        {
            var c = text[_at];
            if (c == '\\')
                _at++;
            else if (c == '\n')
                _open = None; // an apostrophe of a remark is not to reach the next line
            else if (c == _open)
                _open = None;
            else if (_open == None && (c == '"' || (c == '\'' && !IsApostrophe(_at))))
                _open = c;
        }

        return _open;
    }
}
