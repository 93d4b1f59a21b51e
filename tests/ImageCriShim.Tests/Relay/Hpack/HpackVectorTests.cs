using System.Text;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Tests.Relay;

/// <summary>The examples of RFC 7541 appendix C, octet by octet.</summary>
public sealed class HpackVectorTests
{
    private const string Cookie = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    private const string Get = ":method: GET, :scheme: http, :path: /, :authority: www.example.com";
    private const string GetAgain = ":method: GET, :scheme: http, :path: /, :authority: www.example.com, cache-control: no-cache";
    private const string GetIndex = ":method: GET, :scheme: https, :path: /index.html, :authority: www.example.com, custom-key: custom-value";
    private const string Found = ":status: 302, cache-control: private, date: Mon, 21 Oct 2013 20:13:21 GMT, location: https://www.example.com";
    private const string Temporary = ":status: 307, cache-control: private, date: Mon, 21 Oct 2013 20:13:21 GMT, location: https://www.example.com";
    private const string Ok = ":status: 200, cache-control: private, date: Mon, 21 Oct 2013 20:13:22 GMT, location: https://www.example.com, content-encoding: gzip, " + Cookie;
    private const string UpdateTo256 = "3fe101";

    [Theory]
    [InlineData("0a", 5, 10)] // C.1.1
    [InlineData("ea", 5, 10)] // the bits before the prefix belong to the representation
    [InlineData("1f9a0a", 5, 1337)] // C.1.2
    [InlineData("2a", 8, 42)] // C.1.3
    [InlineData("7f00", 7, 127)]
    [InlineData("1f80808000", 5, 31)] // zeros that say nothing are allowed
    public void C_1_integers(string octets, int prefixBits, int value) =>
        new HpackReader(Convert.FromHexString(octets)).ReadInteger(prefixBits).ShouldBe(value);

    [Theory]
    [InlineData("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header", "custom-key: custom-header")] // C.2.1
    [InlineData("040c2f73616d706c652f70617468", ":path: /sample/path", "")] // C.2.2
    [InlineData("100870617373776f726406736563726574", "password: secret", "")] // C.2.3
    [InlineData("82", ":method: GET", "")] // C.2.4
    public void C_2_literals(string block, string fields, string table)
    {
        var decoder = new HpackDecoder(4096);
        Decode(decoder, block).ShouldBe(fields);
        TableOf(decoder).ShouldBe(table);
    }

    [Fact]
    public void C_2_3_is_known_to_be_a_secret()
    {
        var fields = new List<HeaderField>();
        new HpackDecoder(4096).Decode(Convert.FromHexString("100870617373776f726406736563726574"), fields);
        fields.Single().NeverIndexed.ShouldBeTrue();
        fields.Single().ToString().ShouldBe("password: ...");
    }

    [Theory]
    [InlineData("828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865", "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")]
    [InlineData("828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")]
    public void C_3_and_C_4_requests_without_and_with_Huffman_coding(string first, string second, string third)
    {
        var decoder = new HpackDecoder(4096);
        Decode(decoder, first).ShouldBe(Get);
        TableOf(decoder).ShouldBe(":authority: www.example.com");
        Decode(decoder, second).ShouldBe(GetAgain);
        TableOf(decoder).ShouldBe("cache-control: no-cache, :authority: www.example.com");
        Decode(decoder, third).ShouldBe(GetIndex);
        TableOf(decoder).ShouldBe("custom-key: custom-value, cache-control: no-cache, :authority: www.example.com");
    }

    [Theory]
    [InlineData(
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31")]
    [InlineData(
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")]
    public void C_5_and_C_6_responses_evict_in_a_table_of_256_octets(string first, string second, string third)
    {
        var decoder = new HpackDecoder(4096);
        Decode(decoder, UpdateTo256 + first).ShouldBe(Found);
        TableOf(decoder).ShouldBe(
            "location: https://www.example.com, date: Mon, 21 Oct 2013 20:13:21 GMT, cache-control: private, :status: 302");
        Decode(decoder, second).ShouldBe(Temporary);
        TableOf(decoder).ShouldBe(
            ":status: 307, location: https://www.example.com, date: Mon, 21 Oct 2013 20:13:21 GMT, cache-control: private");
        Decode(decoder, third).ShouldBe(Ok);
        TableOf(decoder).ShouldBe(Cookie + ", content-encoding: gzip, date: Mon, 21 Oct 2013 20:13:22 GMT");
    }

    private static string Decode(HpackDecoder decoder, string block)
    {
        var fields = new List<HeaderField>();
        decoder.Decode(Convert.FromHexString(block), fields);
        return string.Join(", ", fields.Select(Text));
    }

    /// <summary>The dynamic table, newest first, read as a peer would: by index, until there is none.</summary>
    private static string TableOf(HpackDecoder decoder)
    {
        var entries = new List<string>();
        try
        {
            for (var index = 62; ; index++)
                entries.Add(Decode(decoder, Convert.ToHexString([(byte)(0x80 | index)])));
        }
        catch (HpackException)
        {
            return string.Join(", ", entries);
        }
    }

    private static string Text(HeaderField field) =>
        $"{Encoding.Latin1.GetString(field.Name.Span)}: {Encoding.Latin1.GetString(field.Value.Span)}";
}
