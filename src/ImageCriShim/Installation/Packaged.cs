using System.Text;

namespace ImageCriShim.Installation;

/// <summary>The files of <c>packaging/</c>, which the binary carries with it.</summary>
internal static class Packaged
{
    public const string Service = "image-cri-shim.service";
    public const string Socket = "image-cri-shim.socket";
    public const string Settings = "image-cri-shim.yaml";

    public static string Read(string name)
    {
        using var reader = new StreamReader(typeof(Packaged).Assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
