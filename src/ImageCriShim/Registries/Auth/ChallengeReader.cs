using System.Buffers;
using System.Text;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// Reads a <c>WWW-Authenticate</c> header, whose comma means two things (RFC 9110 section 11.6.1):
/// <code>
/// header     = challenge *( "," challenge )
/// challenge  = scheme [ 1*SP ( token68 / auth-param *( "," auth-param ) ) ]
/// auth-param = token "=" ( token / quoted-string )
/// </code>
/// More is let pass than that (a value without quotes may be a URL), because registries are not written by lawyers. Each character is
/// looked at twice at most; how many there can be is bounded by the connection.
/// </summary>
internal ref struct ChallengeReader(ReadOnlySpan<char> header)
{
    private static readonly SearchValues<char> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> s_token68 =
        SearchValues.Create("-._~+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> s_endOfBareValue = SearchValues.Create(" \t,\"");

    private ReadOnlySpan<char> _left = header;

    /// <summary>The well-formed challenges; the one in which the header stops to make sense, and all after it, are left out.</summary>
    public List<Challenge> Read()
    {
        var challenges = new List<Challenge>();
        while (MoveToWord())
        {
            var word = TakeWhile(s_token).ToString();
            SkipSpace();
            if (challenges.Count > 0 && Take('='))
            {
                SkipSpace();
                if (word.Length > 0 && TakeValue() is { } value)
                {
                    challenges[^1].Add(word, value);
                    continue;
                }
            }
            else if (word.Length > 0)
            {
                challenges.Add(new Challenge(word));
                SkipToken68();
                continue;
            }
            if (challenges.Count > 0)
                challenges.RemoveAt(challenges.Count - 1);
            break;
        }
        return challenges;
    }

    /// <returns>False at the end.</returns>
    private bool MoveToWord()
    {
        _left = _left.TrimStart(" \t,");
        return !_left.IsEmpty;
    }

    private void SkipSpace() => _left = _left.TrimStart(" \t");

    private bool Take(char expected)
    {
        if (_left.IsEmpty || _left[0] != expected)
            return false;
        _left = _left[1..];
        return true;
    }

    private ReadOnlySpan<char> TakeWhile(SearchValues<char> allowed) => TakeTo(_left.IndexOfAnyExcept(allowed));

    private ReadOnlySpan<char> TakeTo(int end)
    {
        var taken = end < 0 ? _left : _left[..end];
        _left = _left[taken.Length..];
        return taken;
    }

    /// <summary>Of no use to us (Negotiate and its like), but it must not be taken for a parameter.</summary>
    private void SkipToken68()
    {
        var before = _left;
        TakeWhile(s_token68);
        _left = _left.TrimStart('=');
        SkipSpace();
        if (!_left.IsEmpty && _left[0] != ',')
            _left = before;
    }

    /// <returns>Null if a quote is not closed.</returns>
    private string? TakeValue() => Take('"') ? TakeQuoted() : TakeTo(_left.IndexOfAny(s_endOfBareValue)).ToString();

    private string? TakeQuoted()
    {
        var value = new StringBuilder();
        while (!_left.IsEmpty)
        {
            value.Append(TakeTo(_left.IndexOfAny('"', '\\')));
            if (Take('"'))
                return value.ToString();
            if (Take('\\') && !_left.IsEmpty)
                value.Append(TakeTo(1));
        }
        return null;
    }
}
