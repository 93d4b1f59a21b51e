using System.Collections.Immutable;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;
using YamlDotNet.RepresentationModel;

namespace ImageCriShim.Configuration;

/// <summary>
/// Reads <c>credentialProvider: {config, binDir}</c> and the CredentialProviderConfig that it names, which is kubelet's
/// (kubernetes.io "CredentialProviderConfig"). Keys that we do not know are a newer kubelet's, and none of our business.
/// </summary>
internal static class CredentialProviderReader
{
    private const string Config = "the file or directory that kubelet's --image-credential-provider-config names";
    private const string Texts = "a list of texts";
    private const string Kind = "CredentialProviderConfig";

    private static readonly string[] s_extensions = [".json", ".yaml", ".yml"];
    private static readonly string[] s_apiVersions = ["kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1alpha1"];

    public static CredentialProviderSource? Read(YamlMap map)
    {
        if (map.Line == 0)
            return null; // something else stands there, which is reported
        var config = ReadPath(map, "config", Config);
        var binDir = ReadPath(map, "binDir", "the directory that kubelet's --image-credential-provider-bin-dir names");
        map.RefuseOthers();
        if (config is null || map.Report.ImageHas is not null || !Exists(map, config))
            return null;
        var providers = ImmutableArray.CreateBuilder<CredentialProvider>();
        foreach (var file in FilesOf(config, map))
        {
            var report = new ConfigReport(Path.GetFileName(file));
            if (YamlFile.Read(file, report) is { } top)
                providers.AddRange(ReadConfig(top, binDir ?? "/", providers));
            map.Report.Include(report, map.LineOf("config"));
        }

        return new CredentialProviderSource(config, providers.ToImmutable(), TimeProvider.System);
    }

    private static bool Exists(YamlMap map, string config)
    {
        var exists = Path.Exists(config);
        if (!exists)
            map.Problem("config", $"{config} is not there; use {Config}");
        return exists;
    }

    /// <summary>The files of a directory in the order of their names, as kubelet reads it from 1.34 on.</summary>
    private static List<string> FilesOf(string config, YamlMap map)
    {
        if (!Directory.Exists(config))
            return [config];
        var files = new List<string>();
        try
        {
            files.AddRange(Directory.EnumerateFiles(config).Where(file => s_extensions.Contains(Path.GetExtension(file))).Order(StringComparer.Ordinal));
            if (files.Count == 0)
                map.Problem("config", $"{config} holds no file *.json, *.yaml or *.yml; use {Config}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            map.Problem("config", $"{config} {YamlFile.WhyUnreadable(e)}; use {Config}");
        }

        return files;
    }

    private static string? ReadPath(YamlMap map, string key, string allowed)
    {
        var path = map.Text(key, allowed);
        if (path is not null && YamlValues.IsAbsolutePath(path))
            return path;
        map.Problem(key, path is null ? $"missing; use {allowed}" : $"{QuotedValue.Of(path)} is not an absolute path; use {allowed}");
        return null;
    }

    /// <param name="earlier">Those of files before this one.</param>
    private static ImmutableArray<CredentialProvider> ReadConfig(YamlMap top, string binDir, IEnumerable<CredentialProvider> earlier)
    {
        Require(top, "kind", [Kind]);
        Require(top, "apiVersion", s_apiVersions);
        var providers = ImmutableArray.CreateBuilder<CredentialProvider>();
        foreach (var (index, node) in top.List("providers", "a list of plugins").Index())
        {
            var path = $"providers[{index}]";
            if (node is not YamlMappingNode mapping)
                top.Report.Problem(path, node.Start.Line, "is not a mapping; use name, apiVersion, matchImages, defaultCacheDuration");
            else if (ReadProvider(new YamlMap(mapping, path, top.Report), binDir) is { } provider)
                providers.Add(provider);
        }
        if (!top.Has("providers"))
            top.Problem("providers", "missing; use a list of plugins");
        foreach (var twins in providers.GroupBy(provider => provider.Program).Where(group => group.Count() > 1))
            top.Problem("providers", $"{twins.First()} stands there twice; use each name once");
        foreach (var twin in providers.Where(provider => earlier.Any(other => other.Program == provider.Program)))
            top.Problem("providers", $"{twin} stands in an earlier file of the directory too; use each name once");
        return providers.ToImmutable();
    }

    /// <returns>Null for one that cannot be asked.</returns>
    private static CredentialProvider? ReadProvider(YamlMap entry, string binDir)
    {
        var name = ReadName(entry);
        var apiVersion = Require(entry, "apiVersion", CredentialProvider.ApiVersions);
        var provider = new CredentialProvider(name ?? "", binDir, apiVersion ?? "")
        {
            MatchImages = ReadMatchImages(entry),
            DefaultCacheDuration = ReadDuration(entry),
            Arguments = [.. entry.Texts("args", Texts)],
            Environment = [.. ReadEnvironment(entry)],
        };
        if (entry.Map("tokenAttributes").Flag("requireServiceAccount"))
        {
            entry.Warning("tokenAttributes", "wants the service account of a pod, which only kubelet knows; this plugin is not asked");
            return null;
        }
        if (name is not null && !HelperProgram.IsExecutable(provider.Program))
            entry.Warning("name", $"{provider.Program} is not there or not executable; it is looked for again when it is needed");
        return name is null ? null : provider;
    }

    private static string? ReadName(YamlMap entry)
    {
        const string Allowed = "the name of a program in binDir";
        var name = entry.Text("name", Allowed);
        if (!string.IsNullOrEmpty(name) && name is not ("." or "..") && !name.Any(c => c is '/' or ' ' or '\0'))
            return name;
        entry.Problem("name", string.IsNullOrEmpty(name) ? $"missing; use {Allowed}" : $"{QuotedValue.Of(name)} is not a file's name; use {Allowed}");
        return null;
    }

    private static string? Require(YamlMap map, string key, IReadOnlyCollection<string> allowed)
    {
        var text = map.Text(key, string.Join(" or ", allowed));
        if (text is not null && allowed.Contains(text))
            return text;
        map.Problem(key, $"{(text is null ? "missing" : $"{QuotedValue.Of(text)} is not known here")}; use {string.Join(" or ", allowed)}");
        return null;
    }

    private static ImmutableArray<ImageGlob> ReadMatchImages(YamlMap entry)
    {
        const string Allowed = "a list of host[:port][/path], with * inside the labels of a host";
        var globs = ImmutableArray.CreateBuilder<ImageGlob>();
        foreach (var text in entry.Texts("matchImages", Texts))
        {
            if (ImageGlob.TryParse(text, out var glob))
                globs.Add(glob);
            else
                entry.Refuse("matchImages", text, $"is not a pattern; use {Allowed}");
        }
        if (!entry.Has("matchImages"))
            entry.Problem("matchImages", $"missing; use {Allowed}");
        return globs.ToImmutable();
    }

    private static TimeSpan ReadDuration(YamlMap entry)
    {
        const string Key = "defaultCacheDuration";
        var text = entry.Text(Key, GoDuration.Allowed);
        if (text is null)
            entry.Problem(Key, $"missing; use {GoDuration.Allowed}, or 0 to remember nothing");
        else if (!GoDuration.TryParse(text, out var duration) || duration < TimeSpan.Zero)
            entry.Refuse(Key, text, $"is not a duration; use {GoDuration.Allowed}, or 0 to remember nothing");
        else
            return duration;
        return TimeSpan.Zero;
    }

    private static IEnumerable<KeyValuePair<string, string>> ReadEnvironment(YamlMap entry)
    {
        foreach (var (index, node) in entry.List("env", "a list of name and value").Index())
        {
            var variable = new YamlMap(node as YamlMappingNode, $"{entry.PathOf("env")}[{index}]", entry.Report);
            if (variable.Text("name", "a variable's name") is { Length: > 0 } name && !name.Contains('='))
                yield return KeyValuePair.Create(name, variable.Text("value", "a text") ?? "");
            else
                entry.Report.Problem($"{entry.PathOf("env")}[{index}]", node.Start.Line, "has no name of a variable; use name and value");
        }
    }
}
