using ImageCriShim.Configuration;
namespace ImageCriShim.Installation;

/// <summary>crictl's settings. Without them it looks for a runtime by itself, and does not find us.</summary>
internal sealed class CrictlFile(NodeFiles files)
{
    public const string Path = "/etc/crictl.yaml";
    private const string RuntimeKey = "runtime-endpoint";
    private const string ImageKey = "image-endpoint";

    private readonly TextEdit _file = TextEdit.Read(files, Path);

    /// <summary>The socket that crictl calls now; null where nothing says.</summary>
    public string? Runtime => YamlText.Find(_file, RuntimeKey);

    public TextEdit PointAt(string socket) => YamlText.Point(YamlText.Point(_file, RuntimeKey, Endpoint.Of(socket)), ImageKey, Endpoint.Of(socket));
}
