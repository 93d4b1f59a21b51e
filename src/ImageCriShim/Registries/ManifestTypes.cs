using System.Collections.Frozen;

namespace ImageCriShim.Registries;

/// <summary>Media types of manifests (OCI image-spec media-types.md; Docker image manifest v2, schema 1 and 2).</summary>
internal static class ManifestTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <summary>
    /// One header line for all four: some registries read only the first line. Without them a registry may convert to schema
    /// 1, or say 404 for an OCI image.
    /// </summary>
    public const string Accept = $"{OciIndex}, {DockerList}, {OciManifest}, {DockerManifest}";

    private static readonly FrozenSet<string> s_known =
        new[] { OciIndex, DockerList, OciManifest, DockerManifest }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsUsable(string? mediaType) => mediaType is not null && s_known.Contains(mediaType);

    /// <summary>A list of manifests, one for each platform.</summary>
    public static bool IsIndex(string? mediaType) =>
        OciIndex.Equals(mediaType, StringComparison.OrdinalIgnoreCase) || DockerList.Equals(mediaType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Schema 1, signed or not: containerd 2 cannot use it, so an image that exists only so does not exist for us.</summary>
    public static bool IsSchema1(string? mediaType) =>
        mediaType?.StartsWith("application/vnd.docker.distribution.manifest.v1+", StringComparison.OrdinalIgnoreCase) == true;
}
