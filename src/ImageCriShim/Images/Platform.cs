using System.Globalization;
using System.Runtime.InteropServices;

namespace ImageCriShim.Images;

/// <summary>
/// What an image is built for, in the words of the OCI image-spec (GOOS, GOARCH, variant). Which images a node runs is
/// decided as containerd decides it (github.com/containerd/platforms, <c>Only</c>).
/// </summary>
internal sealed record Platform(string Os, string Architecture, string Variant = "")
{
    private const string Amd64 = "amd64";
    private const string Arm = "arm";
    private const string Arm64 = "arm64";
    private const int Arm32OnArm64 = 8; // 64-bit processors run 32-bit code up to arm/v8

    /// <summary>
    /// This node. Of its processor the highest level is assumed: whether an image needs a newer one than this is for the
    /// runtime to say, a refusal of ours could be wrong and would be final.
    /// </summary>
    public static Platform OfThisNode { get; } = RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => new Platform("linux", Amd64, "v4"),
        System.Runtime.InteropServices.Architecture.X86 => new Platform("linux", "386"),
        System.Runtime.InteropServices.Architecture.Arm64 => new Platform("linux", Arm64, "v9"),
        System.Runtime.InteropServices.Architecture.Arm => new Platform("linux", Arm, "v8"),
        System.Runtime.InteropServices.Architecture.Armv6 => new Platform("linux", Arm, "v6"),
        System.Runtime.InteropServices.Architecture.LoongArch64 => new Platform("linux", "loong64"),
        var other => new Platform("linux", other.ToString().ToLowerInvariant()), // s390x, ppc64le, riscv64
    };

    /// <summary>With the spellings that old tools use for the same thing.</summary>
    public static Platform Normalize(string os, string architecture, string variant) =>
        (architecture.ToLowerInvariant(), variant.ToLowerInvariant()) switch
        {
            ("x86_64" or "x86-64", var level) => new Platform(os.ToLowerInvariant(), Amd64, level),
            ("i386", _) => new Platform(os.ToLowerInvariant(), "386"),
            ("aarch64", var level) => new Platform(os.ToLowerInvariant(), Arm64, level),
            ("armhf", _) => new Platform(os.ToLowerInvariant(), Arm, "v7"),
            ("armel", _) => new Platform(os.ToLowerInvariant(), Arm, "v6"),
            var (name, level) => new Platform(os.ToLowerInvariant(), name, level),
        };

    /// <summary>Whether a node of this platform runs an image of that one: lower levels, and the 32-bit ones of the same family.</summary>
    public bool Runs(Platform image) => Os == image.Os && (Architecture, image.Architecture) switch
    {
        (Amd64, "386") => true,
        (Arm64, Arm) => image.Level <= Arm32OnArm64,
        var (ours, theirs) => ours == theirs && (Variant == image.Variant || image.Level <= Level),
    };

    public override string ToString() => Variant.Length == 0 ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    /// <summary>7 of <c>v7</c>, 8 of <c>v8.2</c>; beyond all of what is no level; without a variant what is meant then.</summary>
    private int Level
    {
        get
        {
            if (Variant.Length == 0)
                return Architecture switch { Arm => 7, Arm64 => 8, _ => 1 };
            var digits = Variant.TrimStart('v').Split('.')[0];
            return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var level) ? level : int.MaxValue;
        }
    }
}
