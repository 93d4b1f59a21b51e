namespace ImageCriShim.Configuration;

/// <summary>
/// Files in the form of <c>registries.yaml</c> in the ConfigMap <c>kube-system/image-cri-shim</c>: what is at our top level lies below
/// <c>sealos</c> there, and <c>version</c> is the file's own.
/// </summary>
internal static class ConfigMapForm
{
    private const string Offline = "sealos";

    /// <summary>Whether it is the ConfigMap itself, or any other object of Kubernetes, which is reported.</summary>
    public static bool IsManifest(YamlMap file)
    {
        if (!file.HasUnknown("apiVersion") || !file.HasUnknown("kind"))
            return false;
        file.Problem("kind", "this is an object of Kubernetes; use a file with nothing but what stands in its data, below registries.yaml");
        return true;
    }

    /// <summary>Makes our form of it; leaves all other files as they are.</summary>
    public static void Unfold(YamlMap file)
    {
        if (!file.Has(Offline))
            return;
        var offline = file.Map(Offline);
        file.Drop(Offline);
        file.Drop("version");
        Lift(offline, "auth");
        file.Override(offline, CredentialReader.Keys);
    }

    /// <summary><c>auth: {username, password}</c>; a text stays as it is.</summary>
    private static void Lift(YamlMap map, string key)
    {
        if (!map.IsMap(key))
            return;
        var inner = map.Map(key);
        map.Drop(key);
        if (!inner.IsBlank("username") || !inner.IsBlank("password")) // a registry without an account has both, empty
            map.Override(inner);
    }

    /// <summary>As <see cref="Unfold"/> for an entry of <c>registries</c>.</summary>
    public static void UnfoldEntry(YamlMap entry) => Lift(entry, "auth");
}
