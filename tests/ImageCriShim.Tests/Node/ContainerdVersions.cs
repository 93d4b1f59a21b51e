namespace ImageCriShim.Tests.Node;

/// <summary>As <c>lab/lab install</c> knows them.</summary>
public sealed class ContainerdVersions : TheoryData<string>
{
    public static readonly string[] All = ["1.6", "1.7", "2"];

    public ContainerdVersions() => AddRange(All);
}
