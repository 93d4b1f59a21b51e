using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>
/// Whether CRI-O's policies of signatures let the shim do its work. They are asked twice: when an image is pulled, for the name that the
/// shim pulls it by, and when a container is made of it, for the name that the pod gives. Both must be admitted.
/// </summary>
/// <param name="config"><c>crio.conf</c>; what counts most comes first.</param>
/// <param name="version">Of CRI-O.</param>
/// <param name="root">The files of the node.</param>
internal sealed class CrioPolicyLook(IReadOnlyList<TomlTable> config, string version, NodeRoot root)
{
    private const string DefaultDirectory = "/etc/crio/policies";
    private const string Reload = "systemctl reload crio";
    private const string AcceptAll = "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}";

    private static readonly string[] s_usual = ["/etc/containers/policy.json", "/usr/share/containers/policy.json"];
    private static readonly Version s_asksTwice = new(1, 28);

    public IEnumerable<Finding> Look(IReadOnlyList<Registry> registries) =>
        [.. LookAtNode(registries), .. root.List(OfNamespaces, "*.json").SelectMany(file => Look(file, registries, isNamed: true))];

    private List<Finding> LookAtNode(IReadOnlyList<Registry> registries)
    {
        var named = Setting("signature_policy");
        if ((named ?? s_usual.FirstOrDefault(root.Has)) is { } file && root.Has(file))
            return Look(file, registries, isNamed: named is not null);
        var missing = named ?? s_usual[0];
        var text = $"there is no {root.At(missing)}, and without a policy cri-o pulls nothing";
        return [Finding.Problem(WhatOf(missing), text, Remedy.Write(root.At(missing), AcceptAll), Remedy.Run(Reload))];
    }

    /// <param name="isNamed">By <c>crio.conf</c> or for a namespace: others are not asked when a container is made.</param>
    private List<Finding> Look(string file, IReadOnlyList<Registry> registries, bool isNamed)
    {
        var (what, place) = (WhatOf(file), root.At(file));
        if (SignaturePolicy.Parse(root.Read(file) ?? "", out var problem) is not { } policy)
        {
            var remedy = Remedy.Do($"mend {place} (containers-policy.json(5))");
            return [Finding.Problem(what, $"{place} cannot be used, so cri-o pulls nothing: {problem}", remedy)];
        }

        var (pulled, isAskedTwice) = (registries.Select(registry => registry.Address.NamePrefix).Distinct().ToList(), isNamed && AsksTwice);
        List<string> refused = [.. pulled.Where(name => policy.Of(name) is Requirement.Refused && PartsOf(name, policy).Count == 0), Reference.DockerHub];
        // Each remedy writes the whole file: with what those before it admit, or they would undo each other.
        Remedy Admit(string name) => Remedy.Write(place, policy.Admitting(refused.TakeWhile(other => other != name).Append(name)));
        var found = pulled.Select(name => OfPull(what, place, policy, name, Admit))
            .Append(isAskedTwice ? OfGivenNames(what, place, policy, Admit) : null)
            .OfType<Finding>().ToList();
        return found.Count > 0 ? found : [Finding.Ok(what, $"admits what the shim pulls{(isAskedTwice ? ", by either name" : "")} ({place})")];
    }

    /// <summary>Scopes within that name that are admitted.</summary>
    private static List<string> PartsOf(string name, SignaturePolicy policy) => [.. policy.Within(name).Intersect(policy.Admitted)];

    private static Finding? OfPull(string what, string place, SignaturePolicy policy, string name, Func<string, Remedy> admit) => policy.Of(name) switch
    {
        Requirement.Refused when PartsOf(name, policy) is { Count: > 0 } parts =>
            Finding.Warning(
                what, $"admits from {name} only {string.Join(", ", parts)} ({place}); other pulls from there fail",
                Remedy.Do($"admit {name} if the shim is to pull all from there")),
        Requirement.Refused =>
            Finding.Problem(
                what, $"refuses images of {name} ({place}), so pulls from there fail", admit(name), Remedy.Run(Reload)),
        Requirement.SignedForThatName =>
            Finding.Warning(
                what, $"wants images of {name} signed for that very name ({place}): a signature for the name elsewhere does not count",
                Remedy.Do(
                    $"sign them for {name}, or add"
                    + $$""" "signedIdentity": {"type": "remapIdentity", "prefix": "{{name}}", "signedPrefix": HOST} for the host that they are signed for""")),
        _ => null,
    };

    private static Finding? OfGivenNames(string what, string place, SignaturePolicy policy, Func<string, Remedy> admit) => policy.Of(Reference.DockerHub) switch
    {
        Requirement.Refused =>
            Finding.Warning(
                what,
                $"refuses containers whose image is given by a name of Docker Hub ({place}), also if it was pulled from elsewhere; it admits {Names(policy)}",
                admit(Reference.DockerHub), Remedy.Run(Reload)),
        Requirement.SignedForThatName =>
            Finding.Warning(
                what, $"wants images that are given by a name of Docker Hub signed for it ({place}), also if they are pulled from elsewhere",
                Remedy.Do("copy their signatures with the images into every registry of the shim")),
        _ => null,
    };

    private static string Names(SignaturePolicy policy) =>
        policy.Admitted.Where(scope => scope.Length > 0).ToList() is { Count: > 0 } names ? $"only {string.Join(", ", names)}" : "none";

    /// <summary>The directory of policies of namespaces, each named by its namespace.</summary>
    private string OfNamespaces => Setting("signature_policy_dir") ?? DefaultDirectory;

    private string WhatOf(string file) =>
        Path.GetDirectoryName(file) == OfNamespaces ? $"cri-o's policy for {Path.GetFileNameWithoutExtension(file)}" : "cri-o's policy";

    private bool AsksTwice => !Version.TryParse(version.TrimStart('v').Split('-', '+')[0], out var known) || known >= s_asksTwice;

    private string? Setting(string key) =>
        config.Select(file => file.Table("crio", "image")?.Text(key)).FirstOrDefault(text => !string.IsNullOrEmpty(text));
}
