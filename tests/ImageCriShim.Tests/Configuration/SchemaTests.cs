using System.Text.Json;
using System.Text.Json.Nodes;
using ImageCriShim.Commands;
using ImageCriShim.Configuration;
using ImageCriShim.Tests.Fakes;
using Json.Schema;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Tests.Configuration;

/// <summary>What editors are told of the config file, against what is really read.</summary>
public sealed class SchemaTests : IDisposable
{
    private static readonly string s_text = ReadSchema();

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> GoodFiles() =>
        [.. Directory.GetFiles(GoldenTests.Folder, "*.yaml").Where(file => ConfigFile.Load(file) is { Settings: not null, Warnings: [] }).Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(GoodFiles))]
    public void A_file_that_nothing_is_said_against_is_valid(string name)
    {
        var result = Evaluate(File.ReadAllText(Path.Combine(GoldenTests.Folder, name)));
        result.IsValid.ShouldBeTrue(JsonSerializer.Serialize(result));
    }

    [Theory]
    [InlineData("adress: sealos.hub")]
    [InlineData("timeout: soon")]
    [InlineData("offlinePriority: high")]
    [InlineData("names: originals")]
    [InlineData("registries: {address: a.io}")]
    [InlineData("registries: [{adress: a.io}]")]
    [InlineData("cache: {imageCacheSize: many}")]
    [InlineData("tls: {ca: ca.pem}")]
    [InlineData("credentialProvider: {config: /etc/providers.yaml}")]
    public void A_mistake_is_seen_in_the_editor(string yaml) => Evaluate(yaml).IsValid.ShouldBeFalse();

    [Theory]
    [InlineData("{0}", "/properties")]
    [InlineData("address: a.io\nregistries: [{{ address: b.io, {0} }}]", "/$defs/registry/properties")]
    [InlineData("address: a.io\ncache: {{ {0} }}", "/properties/cache/properties")]
    [InlineData("address: a.io\ntls: {{ {0} }}", "/properties/tls/properties")]
    public void It_has_the_keys_that_are_read(string yaml, string properties)
    {
        const string others = "known keys: ";
        var file = _folder.File("shim.yaml");
        File.WriteAllText(file, string.Format(yaml, "unlikeAnyOther: 1"));
        var problem = ConfigFile.Load(file).Problems.Single(problem => problem.Contains(others));
        var read = problem[(problem.IndexOf(others, StringComparison.Ordinal) + others.Length)..].Split(", ");
        var described = properties[1..].Split('/').Aggregate(JsonNode.Parse(s_text)!, (node, key) => node[key]!).AsObject().Select(property => property.Key);

        // Of older releases; known, but proposed to nobody.
        described.Except(["sync", "registry.d"]).Order(StringComparer.Ordinal).ShouldBe(read.Order(StringComparer.Ordinal));
    }

    private static EvaluationResults Evaluate(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        var root = stream.Documents.Count == 0 ? null : ToJson(stream.Documents[0].RootNode);
        using var document = JsonDocument.Parse(root?.ToJsonString() ?? "null");
        return JsonSchema.FromText(s_text).Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = Json.Schema.OutputFormat.List });
    }

    // As the YAML 1.1 of Go's parser has it.
    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(entry => KeyValuePair.Create(((YamlScalarNode)entry.Key).Value!, ToJson(entry.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or null } => null,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "yes" or "on" } => true,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "false" or "no" or "off" } => false,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var text } when int.TryParse(text, out var number) => number,
        YamlScalarNode scalar => scalar.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(node)),
    };

    private static string ReadSchema()
    {
        using var schema = new StreamReader(typeof(ConfigCommand).Assembly.GetManifestResourceStream("settings.schema.json")!);
        return schema.ReadToEnd();
    }
}
