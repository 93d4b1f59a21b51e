using FsCheck;
using FsCheck.Fluent;
using ImageCriShim.Cri;
using ImageCriShim.Tests.Fakes;
using static ImageCriShim.Tests.Fakes.ProtoFields;

namespace ImageCriShim.Tests.Cri;

public sealed class ProtoMessageTests
{
    // A varint longer than it need be, 32 and 64 bits, and a number of today's largest: an encoder would write none of it the same way.
    private static readonly byte[] s_unknown =
        [0x18, 0x81, 0x80, 0x00, 0x2d, 1, 2, 3, 4, 0x31, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0xff, 0xff, 0xff, 0x0f, 0x02, 9, 9];

    [Fact]
    public void An_edit_keeps_unknown_fields_octet_by_octet()
    {
        byte[] message = [.. s_unknown, .. Field(2, "old"), .. s_unknown];
        ProtoMessage.With(message, 2, "newer").ShouldBe([.. s_unknown, .. Field(2, "newer"), .. s_unknown]);
        ProtoMessage.With(message, 2, (byte[]?)null).ShouldBe([.. s_unknown, .. s_unknown]);
        ProtoMessage.With(message, 2, "").ShouldBe([.. s_unknown, .. s_unknown]);
    }

    [Fact]
    public void A_field_that_was_absent_comes_last() =>
        ProtoMessage.With(s_unknown, 1, "a").ShouldBe([.. s_unknown, .. Field(1, "a")]);

    [Fact]
    public void Of_several_values_the_last_counts_and_an_edit_leaves_one()
    {
        byte[] message = [.. Field(1, "a"), .. Field(3, 7), .. Field(1, "b")];
        ProtoMessage.GetString(message, 1).ShouldBe("b");
        ProtoMessage.With(message, 1, "c").ShouldBe([.. Field(1, "c"), .. Field(3, 7)]);
    }

    [Fact]
    public void Embedded_messages_are_merged()
    {
        var message = Message(Field(1, Field(1, "nginx")), Field(1, Message(Field(2, "x"), Field(1, "redis"))));
        ProtoMessage.GetMessage(message, 1).ShouldBe(Message(Field(1, "nginx"), Field(2, "x"), Field(1, "redis")));
        CriMessages.GetImage(message).ShouldBe("redis");
        FindText(CriMessages.WithImage(message, "r.io/redis"), 1, 1).ShouldBe("r.io/redis");
    }

    [Fact]
    public void A_field_of_another_wire_type_is_another_field()
    {
        var message = Message(Field(1, 5UL), Field(1, "text"));
        ProtoMessage.GetString(message, 1).ShouldBe("text");
        ProtoMessage.With(message, 1, "new").ShouldBe(Message(Field(1, 5UL), Field(1, "new")));
    }

    [Fact]
    public void What_is_absent_is_empty()
    {
        ProtoMessage.TryFind([], 1, out _).ShouldBeFalse();
        ProtoMessage.GetString([], 1).ShouldBe("");
        ProtoMessage.GetMessage([], 1).ShouldBeEmpty();
        ProtoMessage.TryFind(Field(1, ""), 1, out var value).ShouldBeTrue();
        value.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData("08")] // no value
    [InlineData("80")] // half a tag
    [InlineData("0a05616263")] // cut off
    [InlineData("0d0000")] // half of 32 bits
    [InlineData("0900")] // half of 64 bits
    [InlineData("0b")] // a group
    [InlineData("0c")]
    [InlineData("0e00")] // wire types that do not exist
    [InlineData("0f00")]
    [InlineData("0200")] // field 0
    [InlineData("8a80808010" + "00")] // field 2^29 + 1, of which 32 bits are field 1: others read it otherwise
    [InlineData("08ffffffffffffffffffffff01")] // a varint without end
    [InlineData("0affffffffffffffffff01")] // a length beyond all memory
    [InlineData("0aff808080808080808001")]
    public void A_malformed_message_is_refused(string octets) =>
        Should.Throw<MalformedMessageException>(() => ProtoMessage.With(Convert.FromHexString(octets), 1, "a"));

    [Fact]
    public void Whatever_comes_in_a_message_or_a_refusal_comes_out() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5000),
        Prop.ForAll(Arb.From(Gen.Choose(0, 255).Select(octet => (byte)octet).ArrayOf()), octets =>
        {
            try
            {
                var edited = CriMessages.WithImage(octets, "image");
                CriMessages.GetImage(edited).ShouldBe("image");
                CriMessages.HasImage(edited).ShouldBeTrue();
                AuthConfig.IsIn(octets);
            }
            catch (MalformedMessageException)
            {
                // the one way to refuse
            }
        }));

    [Fact]
    public void Bent_requests_are_read_or_refused()
    {
        var random = new Random(1);
        var request = Message(Field(1, Message(Field(1, "nginx"), Field(2, Message(Field(1, "k"), Field(2, "v"))))), Field(2, Message(Field(1, "user"))), Field(3, 5UL));
        for (var i = 0; i < 50_000; i++)
        {
            var bent = request.ToArray();
            for (var flips = random.Next(1, 5); flips > 0; flips--)
                bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var edited = CriMessages.WithImage(bent.AsSpan(random.Next(3), bent.Length - 2 - random.Next(3)), "x");
                CriMessages.GetImage(edited).ShouldBe("x");
            }
            catch (MalformedMessageException)
            {
                // the one way to refuse
            }
        }
    }
}
