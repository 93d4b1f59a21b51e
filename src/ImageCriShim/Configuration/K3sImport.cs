namespace ImageCriShim.Configuration;

/// <summary>Mirrors as k3s and RKE2 have them in <c>registries.yaml</c> (docs.k3s.io, "Private Registry Configuration").</summary>
internal static class K3sImport
{
    private const string Mirrors = "mirrors";
    private const string Configs = "configs";
    private const string Url = "a URL of a registry";

    /// <summary>Whether it is such a file, and not one of a Go shim, whose ConfigMap has the same name.</summary>
    public static bool IsOne(YamlMap file) =>
        (file.IsMap(Mirrors) || file.IsMap(Configs)) && !file.HasUnknown("address") && !file.HasUnknown("sealos") && !file.HasUnknown("registries");

    public static void Add(ImportedOrigins origins, YamlMap file, string path)
    {
        var (mirrors, configs) = (file.Map(Mirrors), file.Map(Configs));
        foreach (var host in mirrors.Written.Select(entry => entry.Key).ToList())
        {
            var (mirror, place) = (mirrors.Map(host), new ImportedPlace(file.Report, mirrors.LineOf(host)) { Path = path });
            var all = FromMirror(mirror, host, configs, place);
            var endpoints = all.DistinctBy(endpoint => (endpoint.Scheme, endpoint.Host, endpoint.Root)).ToList();
            if (endpoints.Count > 0 || configs.Has(host)) // otherwise k3s writes nothing of it, and the list of all others is for it
                origins.Add(new ImportedOrigin(host, endpoints));
        }

        foreach (var host in configs.Written.Select(entry => entry.Key).Where(host => host != ImportedOrigin.Others).ToList())
        {
            var place = new ImportedPlace(file.Report, configs.LineOf(host)) { Path = path };
            if (ImportedEndpoint.Parse(host, place, static _ => "v2") is { } own)
                origins.Add(new ImportedOrigin(host, [WithConfig(own with { IsOrigin = true }, configs)]));
        }

        foreach (var key in file.Written.Select(entry => entry.Key).Except([Mirrors, Configs], StringComparer.OrdinalIgnoreCase).ToList())
            file.Warning(key, "is not known here, so it is not imported");
    }

    private static IEnumerable<ImportedEndpoint> FromMirror(YamlMap mirror, string origin, YamlMap configs, ImportedPlace place)
    {
        var rewrite = mirror.Map("rewrite");
        var rewrites = rewrite.Written.Select(entry => KeyValuePair.Create(entry.Key, rewrite.Text(entry.Key, "a path") ?? "")).ToList();
        foreach (var url in mirror.Texts("endpoint", $"a list, each {Url}"))
        {
            var at = place.At(mirror.LineOf("endpoint"), "endpoint");
            if (ImportedEndpoint.Parse(url, at, static path => path is "" or "/" or "/v2" ? "v2" : path) is not { } endpoint)
                at.Loss("an endpoint is no URL of a registry, so it is not imported");
            else
                yield return WithConfig(endpoint with { IsOrigin = endpoint.IsAt(origin), IsToldOrigin = true, Rewrites = rewrites }, configs);
        }
    }

    private static ImportedEndpoint WithConfig(ImportedEndpoint endpoint, YamlMap configs)
    {
        var config = configs.Map(endpoint.Host == "registry-1.docker.io" && !configs.Has(endpoint.Host) ? "docker.io" : endpoint.Host);
        var (auth, tls) = (config.Map("auth"), config.Map("tls"));
        return endpoint with
        {
            Credential = ImportedCredential.Read(key => auth.Text(key, "a text")),
            Ca = File(tls, "ca_file") is { } ca ? [ca] : [],
            Certificate = File(tls, "cert_file"),
            Key = File(tls, "key_file"),
            InsecureSkipVerify = tls.Flag("insecure_skip_verify"),
        };
    }

    private static string? File(YamlMap tls, string key) => tls.Text(key, "a file") is { Length: > 0 } path ? path : null;
}
