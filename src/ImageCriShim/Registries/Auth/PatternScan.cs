namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Runs a <see cref="SecretPattern"/> over a text, byte by byte (the shift-and algorithm): bit k of a state says that the text up to here ends
/// with the first k + 1 bytes of the secret, in whatever spelling. An escape carries a state over its whole length, so the work for each
/// byte of the text depends on the secret's length alone.
/// </summary>
internal ref struct PatternScan
{
    private const int Ahead = TextEscape.LongestEscape + 1;
    private const int NoPair = -1;

    private readonly SecretPattern _pattern;
    private readonly ReadOnlySpan<byte> _text;
    private readonly int _words; // of one state
    private readonly ulong[] _states; // for this place and those ahead, each at its place modulo their number
    private readonly ulong[] _beforePercent; // the state at the last percent sign
    private int _pair = NoPair; // where two digits of that percent sign may stand

    public PatternScan(SecretPattern pattern, ReadOnlySpan<byte> text, int begin)
    {
        _pattern = pattern;
        _text = text;
        _words = pattern.Words;
        _states = new ulong[Ahead * _words];
        _beforePercent = new ulong[_words];
        At = begin;
    }

    /// <summary>The bytes of the text before it have been read.</summary>
    public int At { get; private set; }

    public readonly bool IsAtEnd => At >= _text.Length;

    /// <summary>Whether the whole secret ends here.</summary>
    public readonly bool HasMatched => (State(At)[_pattern.LastWord] & _pattern.LastBit) != 0;

    public void Advance()
    {
        var state = State(At);
        var next = _text[At];
        _pattern.Step(state, next, State(At + 1));
        if (next == '\\')
            PassBackslash(state);
        if (next is (byte)'\\' or (byte)'&')
            PassEscape(state);
        PassPercent(state, next);
        state.Clear();
        At++;
    }

    private readonly Span<ulong> State(int at) => _states.AsSpan(at % Ahead * _words, _words);

    /// <summary>Whatever is quoted, and however often, has backslashes in front.</summary>
    private readonly void PassBackslash(Span<ulong> state)
    {
        state[_pattern.LastWord] &= ~_pattern.LastBit; // what is complete does not go on
        var ahead = State(At + 1);
        for (var word = 0; word < _words; word++)
            ahead[word] |= state[word];
    }

    private readonly void PassEscape(ReadOnlySpan<ulong> state)
    {
        Span<byte> character = stackalloc byte[TextEscape.LongestCharacter];
        var length = TextEscape.Read(_text[At..], character, out var written);
        if (length == 0)
            return;
        var from = state;
        foreach (var one in character[..(written - 1)])
        {
            var to = new ulong[_words];
            _pattern.Step(from, one, to);
            from = to;
        }

        _pattern.Step(from, character[written - 1], State(At + length));
    }

    /// <summary><c>%2F</c>, <c>%252F</c> and so on: a percent sign is written as <c>%25</c>.</summary>
    private void PassPercent(ReadOnlySpan<ulong> state, byte next)
    {
        if (At == _pair)
        {
            var value = TextEscape.ReadHexPair(_text[At..]);
            if (value >= 0)
                _pattern.Step(_beforePercent, (byte)value, State(At + 2));
            _pair = value == '%' ? At + 2 : NoPair;
        }

        if (next != '%')
            return;
        state.CopyTo(_beforePercent);
        _pair = At + 1;
    }
}
