namespace ImageCriShim.Tests.Images;

/// <summary>
/// Names of images as somebody would write them who looks for a gap between two parsers: parts of names, put together and damaged at
/// random.
/// </summary>
internal sealed class RandomNames(int seed)
{
    private static readonly string[] s_hosts =
    [
        "", "", "docker.io/", "index.docker.io/", "registry-1.docker.io/", "Docker.io/", "quay.io/", "QUAY.io:443/", "localhost/",
        "localhost:5000/", "evil.test/",
        "a_b.evil.test/", "a__b.test/", "evil.te_st/", "a-.test/", "a.b_c.d:5000/", "[::1]/", "[::1]:5000/", "[2001:db8::1]/",
        "[::ffff:1.2.3.4]/", "[fe80::1%25eth0]/",
        "10.0.0.1/", "10.0.0.1:0080/", "A/", "myhost:5000/", "host:/", ":5000/", "http://evil.test/", "user@evil.test/", "evil.test./",
        ".evil.test/", "evil..test/",
        "xn--n3h.test/", "evil.test:99999999999/", "-/", "a_b/", "library/", "127.1/", "//", "ä.test/",
    ];

    private static readonly string[] s_segments =
    [
        "a", "nginx", "app", "team", "library", "a.b", "a_b", "a__b", "a___b", "a-b", "a--b", "a..b", "a._b", "a-", "_a", "A", "aB", "0",
        "", "ä", "a b", "a%2fb", "a:b",
    ];

    private static readonly string[] s_tags =
        ["", "", "", ":1", ":latest", ":_x", ":V1.2-rc_3", ":", ":-x", ":.x", ":ä", ":a/b", ":5000/x", ":0"];

    private static readonly string[] s_digests =
    [
        "", "", "", $"@sha256:{new string('a', 64)}", $"@sha512:{new string('0', 128)}", $"@sha384:{new string('f', 96)}", "@sha256:12",
        $"@sha256:{new string('A', 64)}",
        $"@md5:{new string('a', 32)}", $"@sha256:{new string('a', 65)}", "@",
        $"@a+b.c_d-e:{new string('1', 64)}", $"@sha256+b64:{new string('a', 64)}",
    ];

    private const string Odd = "abzAZ019._-:/@[]%+ \t\0éK~";

    private readonly Random _random = new(seed);

    public string Next()
    {
        var name = _random.Next(50) switch
        {
            0 => $"sha256:{Hex(64)}",
            1 => Hex(_random.Next(62, 67)),
            2 => Pick(s_hosts) + new string('p', _random.Next(240, 260)),
            3 => $"evil.test:{new string('0', _random.Next(300))}443/app",
            _ => Pick(s_hosts) + Path() + Pick(s_tags) + Pick(s_digests),
        };
        for (var damages = _random.Next(4) - 1; damages > 0 && name.Length > 0; damages--)
            name = Damage(name);
        return name;
    }

    private string Path() => string.Join('/', Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Pick(s_segments)));

    private string Damage(string name)
    {
        var at = _random.Next(name.Length);
        return _random.Next(4) switch
        {
            0 => name.Remove(at, 1),
            1 => name.Insert(at, $"{Odd[_random.Next(Odd.Length)]}"),
            2 => name.Insert(at, name[..(at % 4)]),
            _ => $"{name[..at]}{InOtherCase(name[at])}{name[(at + 1)..]}",
        };
    }

    private static char InOtherCase(char c) => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c);

    private string Hex(int length) => new(_random.GetItems<char>("0123456789abcdef", length));

    /// <summary>Mostly of the first third, which is well-formed: otherwise hardly any name would be.</summary>
    private string Pick(string[] from) => from[_random.Next(_random.Next(4) == 0 ? from.Length : from.Length / 3)];
}
