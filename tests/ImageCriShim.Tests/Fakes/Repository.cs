namespace ImageCriShim.Tests.Fakes;

/// <summary>Where the sources are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string directory) =>
        File.Exists(Path.Combine(directory, "ImageCriShim.slnx")) ? directory
            : Find(Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not inside the repository"));
}
