namespace ImageCriShim.Tests.Faults;

/// <summary>How much time there is: <c>./build test faults --hours N</c>, <c>./build test soak --minutes N</c>.</summary>
internal static class Long
{
    /// <summary>Whether faults last as long as they do on nodes.</summary>
    public static bool Run { get; } = Variable("IMAGE_CRI_SHIM_FAULTS_LONG") is not null;

    public static TimeSpan Soak { get; } = TimeSpan.FromMinutes(double.Parse(Variable("IMAGE_CRI_SHIM_SOAK_MINUTES") ?? "60"));

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
