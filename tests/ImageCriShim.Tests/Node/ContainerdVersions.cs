namespace ImageCriShim.Tests.Node;

/// <summary>As <c>lab/lab install</c> knows them: those that speak runtime.v1.</summary>
public sealed class ContainerdVersions : TheoryData<string>
{
    public static readonly string[] All = ["1.6", "1.7", "2"];

    /// <summary>With the one that speaks runtime.v1alpha2 alone.</summary>
    public static readonly string[] OfEitherInterface = ["1.4", .. All];

    public ContainerdVersions() => AddRange(All);
}

/// <summary>With the one that speaks runtime.v1alpha2 alone.</summary>
public sealed class ContainerdsOfEitherInterface : TheoryData<string>
{
    public ContainerdsOfEitherInterface() => AddRange(ContainerdVersions.OfEitherInterface);
}
