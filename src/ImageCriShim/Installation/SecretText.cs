using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Registries;

namespace ImageCriShim.Installation;

/// <summary>
/// A text of settings, units or variables without what looks like a secret: values of keys and flags that <see cref="SecretNames"/> knows, in
/// any quotes and on the line below too, users and queries of URLs, and what follows <c>Bearer</c> and <c>Basic</c>.
/// </summary>
internal sealed partial class SecretText
{
    private const string Mask = "***";

    private readonly string _text;
    private readonly QuoteScanner _quotes;
    private readonly List<(int Start, int End)> _hidden = [];

    private SecretText(string text) => (_text, _quotes) = (text, new QuoteScanner(text));

    public static string Hide(string text)
    {
        var secrets = new SecretText(text);
        secrets.FindValues();
        secrets.FindWords();
        return secrets.Masked();
    }

    private void FindValues()
    {
        foreach (Match match in Name().Matches(_text))
        {
            var (name, separator) = (Continuation().Replace(match.Groups["name"].Value, ""), match.Groups["separator"].Value);
            var start = match.Index + match.Length;
            if (!SecretNames.Has(name) || IsPathWithTag(match, separator))
                continue;
            if (separator.TrimEnd().EndsWith('='))
                Hide(start, _quotes.EndOfWord(start));
            else if (separator.TrimStart('"', '\'', '\\', ' ', '\t').StartsWith(':'))
                HideMapped(match.Index, start);
            else if (name.StartsWith('-') && _text.AsSpan(start) is not ['-', ..])
                Hide(start, _quotes.EndOfWord(start));
        }
    }

    /// <summary>An image such as <c>corp/auth:1.2</c>.</summary>
    private bool IsPathWithTag(Match match, string separator) => separator == ":" && match.Index > 0 && _text[match.Index - 1] == '/';

    /// <summary>What a key of YAML or JSON, or a header, has for a value: to the end of its quotes or of its line, or the lines below.</summary>
    private void HideMapped(int name, int start)
    {
        var end = EndOfLine(start);
        if (Nothing().IsMatch(_text.AsSpan(start, end - start)))
            HideBelow(name, end);
        else if (_text[start] is '"' or '\'' || _quotes.IsWithin(start))
            Hide(start, _quotes.EndOfQuoted(start));
        else
            Hide(start, end);
    }

    /// <summary>The lines below that are indented more, but those that are keys of a mapping, which have values of their own.</summary>
    private void HideBelow(int name, int end)
    {
        var indent = IndentAt(StartOfLine(name));
        for (var line = end + 1; line < _text.Length; line = EndOfLine(line) + 1)
        {
            var content = line + IndentAt(line);
            var last = EndOfLine(line);
            var isItem = content < last && _text[content] == '-' && content - line == indent;
            if (content < last && content - line <= indent && !isItem)
                return;
            if (content < last && !Key().IsMatch(_text.AsSpan(content, last - content)))
                Hide(content, last);
        }
    }

    private void FindWords()
    {
        foreach (var found in User().Matches(_text).Concat(Query().Matches(_text)).Concat(Token().Matches(_text)).Select(match => match.Groups["secret"]))
            Hide(found.Index, found.Index + found.Length);
    }

    private void Hide(int start, int end)
    {
        if (end > start && !Switch().IsMatch(_text.AsSpan(start, end - start)))
            _hidden.Add((start, end));
    }

    /// <summary>Each line keeps its end, so that lines are the same as before.</summary>
    private string Masked()
    {
        var masked = new StringBuilder();
        var at = 0;
        foreach (var (start, end) in _hidden.Order())
        {
            if (end <= at)
                continue;
            var lines = _text[Math.Max(at, start)..end].Count(c => c == '\n');
            masked.Append(_text, at, Math.Max(0, start - at)).Append(start < at ? "" : Mask);
            for (var line = 0; line < lines; line++)
                masked.Append('\n').Append(Mask);
            at = end;
        }

        return masked.Append(_text, at, _text.Length - at).ToString();
    }

    private int EndOfLine(int at) => _text.IndexOf('\n', Math.Min(at, _text.Length)) is >= 0 and var end ? end : _text.Length;

    private int StartOfLine(int at) => at == 0 ? 0 : _text.LastIndexOf('\n', at - 1) + 1;

    private int IndentAt(int line)
    {
        var at = line;
        while (at < _text.Length && _text[at] is ' ' or '\t')
            at++;
        return at - line;
    }

    // A name, and what stands between it and its value: an equals sign, a colon, or of a flag a space, a comma, the next item of a list. In a
    // file of variables a name may go on on the line below.
    [GeneratedRegex(
        """(?<![\w.-])(?<name>-{0,2}[A-Za-z_](?:[\w.-]|\\\n(?=\w)){0,200})(?<separator>\\?["']?(?:[ \t]+=[ \t]*|=|[ \t]*:[ \t]*"""
        + """|[ \t]*\\\r?\n[ \t]*|[ \t]*,[ \t]*(?:\r?\n[ \t]*)?|\r?\n[ \t]*-[ \t]+|[ \t]+))""")]
    private static partial Regex Name();

    [GeneratedRegex(@"\\\n")]
    private static partial Regex Continuation();

    // Nothing, the sign of a text on the lines below, or a remark.
    [GeneratedRegex(@"^\s*(?:[|>][-+0-9]*|[{\[])?\s*(?:#.*)?$")]
    private static partial Regex Nothing();

    [GeneratedRegex("""^(?:-[ \t]+)?["']?[\w.-]+["']?[ \t]*:(?:\s|$)|^[\]}#]""")]
    private static partial Regex Key();

    [GeneratedRegex("""^["']?(?:true|false)["']?[,;]?$""")]
    private static partial Regex Switch();

    // Up to the last @ before a slash, or in a password with one; not of an image with its digest.
    [GeneratedRegex("""://(?<secret>[^\s"'/]+|[^\s"'/@:]*:[^\s"']+)@(?!sha\d)""")]
    private static partial Regex User();

    [GeneratedRegex("""(?:://[^\s"'?]*\?(?=[^\s"'])|\?(?=[^\s"'=?]*=))(?<secret>[^\s"'>]+)""")]
    private static partial Regex Query();

    [GeneratedRegex(
        """\bbearer(?:\\?[ \t]|%20|\+)+(?<secret>[^\s"']+)|\bbasic(?:\\?[ \t]|%20|\+)+(?<secret>[A-Za-z0-9+/=_][A-Za-z0-9+/=_-]{6,})|(?<secret>\beyJ[\w-]{8,}(?:\.[\w-]*)*)""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Token();
}
