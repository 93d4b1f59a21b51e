namespace ImageCriShim.Tests;

/// <summary>The one function that everything of others comes through before it is shown.</summary>
public sealed class PrintableTextTests
{
    /// <summary>What may come into a text and must not come out of it, each with what it would do.</summary>
    public static TheoryData<string, string> Hostile => new()
    {
        { "a\e[2Jb", "a [2Jb" }, // clears the screen
        { "a\u009b2Jb", "a 2Jb" }, // the same in one character
        { "a\0b", "a b" },
        { "a\r\nb\vc\fd", "a  b c d" },
        { "a\u0085b\u2028c\u2029d", "a b c d" }, // lines as Unicode has them
        { "a\u202eb\u202dc\u2066d\u2069e\u200ef", "a b c d e f" }, // turns what follows around
        { "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg", "a b c d e f g" }, // nothing to be seen
        { "a\u115fb\u1160c\u3164d\uffa0e\u2800f", "a b c d e f" }, // the same, though letters and a symbol
        { "a\u0300\u0300\u0300b", "a   b" }, // grows over other lines
        { "a\U000e0041b", "a b" }, // tags
        { "a\ue000b", "a b" }, // of private use
        { "a\ud800b", "a\ufffdb" }, // half a character
        { "a\tb\bc\u007fd", "a b c d" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_a_terminal_would_obey_or_nobody_would_see_becomes_a_space(string text, string shown) => PrintableText.Of(text).ShouldBe(shown);

    [Theory]
    [InlineData("plain ASCII, with all of !\"#$%&'()*+-./:;<=>?@[\\]^_`{|}~")]
    [InlineData("没有权限")]
    [InlineData("Zugriff verweigert für müller")]
    [InlineData("доступ запрещён")]
    [InlineData("cost: 5 € and a \U0001f433")]
    [InlineData("")]
    public void What_people_write_stays_as_it_is(string text) => PrintableText.Of(text).ShouldBe(text);

    [Fact]
    public void Every_character_that_stays_is_printable_and_every_other_becomes_one_space()
    {
        for (var value = 0; value <= 0x10ffff; value++)
        {
            if (value is >= 0xd800 and <= 0xdfff)
                continue;
            var one = char.ConvertFromUtf32(value);
            var shown = PrintableText.Of(one);
            (shown == one || shown == " ").ShouldBeTrue($"U+{value:X4}");
            if (shown == one)
                shown.Any(c => char.IsControl(c) || char.GetUnicodeCategory(shown, 0) is System.Globalization.UnicodeCategory.Format).ShouldBeFalse($"U+{value:X4}");
        }
    }

    [Fact]
    public void A_megabyte_becomes_a_line_with_its_beginning_and_its_end()
    {
        var shown = PrintableText.Of($"begin{new string('x', 1024 * 1024)}end");

        shown.Length.ShouldBeLessThan(PrintableText.MaxLength + 10);
        shown.ShouldStartWith("beginxxx");
        shown.ShouldContain("xxx ... xxx");
        shown.ShouldEndWith("xxxend");
    }
}
