namespace ImageCriShim.Commands;

/// <summary>Files that the program carries in itself.</summary>
internal static class EmbeddedText
{
    /// <summary>On standard output.</summary>
    internal static void Write(string name)
    {
        using var text = Open(name);
        using var output = Console.OpenStandardOutput();
        text.CopyTo(output);
    }

    private static Stream Open(string name) => typeof(EmbeddedText).Assembly.GetManifestResourceStream(name)!;
}
