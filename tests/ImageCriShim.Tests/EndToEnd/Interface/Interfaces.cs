using ImageCriShim.Tests.Node;

namespace ImageCriShim.Tests.EndToEnd.Interface;

/// <summary>Who speaks which version of CRI.</summary>
internal static class Interfaces
{
    public const string V1 = "v1";
    public const string V1Alpha2 = "v1alpha2";

    /// <summary>What each containerd speaks, and so what its callers are compared by when it does not speak theirs.</summary>
    public static string[] Of(string containerd) => containerd switch
    {
        "1.4" => [V1Alpha2],
        "2" => [V1],
        _ => [V1, V1Alpha2],
    };

    /// <summary>The version in which a call arrives at the runtime.</summary>
    public static string Spoken(string containerd, string caller) => Of(containerd).Contains(caller) ? caller : Of(containerd)[0];
}

/// <summary>Every containerd, called in each version.</summary>
public sealed class Matrix : TheoryData<string, string>
{
    public Matrix()
    {
        foreach (var containerd in ContainerdVersions.OfEitherInterface)
        {
            Add(containerd, Interfaces.V1);
            Add(containerd, Interfaces.V1Alpha2);
        }
    }
}

/// <summary>Every containerd, called in the versions that it speaks itself.</summary>
public sealed class SpokenInterfaces : TheoryData<string, string>
{
    public SpokenInterfaces()
    {
        foreach (var containerd in ContainerdVersions.OfEitherInterface)
            foreach (var version in Interfaces.Of(containerd))
                Add(containerd, version);
    }
}
