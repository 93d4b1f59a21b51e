using System.Text;

namespace ImageCriShim.Tests.Layouts;

/// <summary>
/// Reads a file of variables as systemd's env-file.c does. Quotes count at the beginning of a value only and behind another quoted part, a
/// backslash joins lines, and a comment that ends in a backslash goes on in the next line, as it does until systemd 253.
/// </summary>
internal sealed class VariableFile
{
    private readonly Dictionary<string, string> _variables = [];
    private readonly StringBuilder _key = new();
    private readonly StringBuilder _value = new();
    private State _state = State.BeforeKey;

    private enum State { BeforeKey, Key, BeforeValue, Value, ValueEscape, Single, Double, DoubleEscape, Comment, CommentEscape }

    public IReadOnlyDictionary<string, string> Read(string text)
    {
        foreach (var character in text)
            _state = Next(character);
        if (_state is not (State.BeforeKey or State.Key or State.Comment or State.CommentEscape))
            Keep();
        return _variables;
    }

    private State Next(char character) => _state switch
    {
        State.BeforeKey when character is '#' or ';' => State.Comment,
        State.BeforeKey => char.IsWhiteSpace(character) ? State.BeforeKey : Add(_key, character, State.Key),
        State.Key => character == '\n' ? Forget() : character == '=' ? State.BeforeValue : Add(_key, character, State.Key),
        State.BeforeValue => BeforeValue(character),
        State.Value => character == '\n' ? Keep() : character == '\\' ? State.ValueEscape : Add(_value, character, State.Value),
        State.ValueEscape => character == '\n' ? State.Value : Add(_value, character, State.Value),
        State.Single => character == '\'' ? State.BeforeValue : Add(_value, character, State.Single),
        State.Double when character == '"' => State.BeforeValue,
        State.Double => character == '\\' ? State.DoubleEscape : Add(_value, character, State.Double),
        State.DoubleEscape => AfterBackslash(character),
        State.Comment => character == '\n' ? State.BeforeKey : character == '\\' ? State.CommentEscape : State.Comment,
        _ => State.Comment,
    };

    private State BeforeValue(char character) => character switch
    {
        '\n' => Keep(),
        '\'' => State.Single,
        '"' => State.Double,
        '\\' => State.ValueEscape,
        _ when char.IsWhiteSpace(character) => State.BeforeValue,
        _ => Add(_value, character, State.Value),
    };

    private State AfterBackslash(char character)
    {
        if (character is not ('"' or '\\' or '`' or '$' or '\n'))
            _value.Append('\\');
        return character == '\n' ? State.Double : Add(_value, character, State.Double);
    }

    private static State Add(StringBuilder text, char character, State next)
    {
        text.Append(character);
        return next;
    }

    private State Keep()
    {
        var key = $"{_key}".Trim();
        if (key.Length > 0 && key.All(character => char.IsAsciiLetterOrDigit(character) || character == '_'))
            _variables[key] = _state == State.Value ? $"{_value}".TrimEnd() : $"{_value}";
        return Forget();
    }

    private State Forget()
    {
        _key.Clear();
        _value.Clear();
        return State.BeforeKey;
    }
}
