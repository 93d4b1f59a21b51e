using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>
/// What <c>registries.conf</c> does to names that the shim pulls by: CRI-O may refuse them, or get their images from elsewhere. And to
/// names without a host, which the shim reads as Docker does.
/// </summary>
/// <param name="conf">All of it.</param>
/// <param name="dropIns">Where an operator adds to it.</param>
internal sealed class CrioRegistriesLook(RegistriesConf conf, string dropIns)
{
    private const string Reload = "systemctl reload crio";

    public IEnumerable<Finding> Look(IReadOnlyList<Registry> registries) => [.. registries.SelectMany(Look), ShortNames()];

    private IEnumerable<Finding> Look(Registry registry)
    {
        if (conf.Find(registry.Address.NamePrefix) is not { } entry)
            yield break;
        var (what, place) = ($"cri-o and {registry.Host}", $"{entry.File}:{entry.Table.Line}");
        if (entry.IsBlocked)
            yield return Finding.Problem(what, $"{entry.Prefix} is blocked ({place}), so pulls from there fail", Unblock(entry), Remedy.Run(Reload));
        if (entry.Location is { } location)
        {
            yield return Finding.Warning(
                what, $"images of {entry.Prefix} come from {location} ({place}), where the shim does not look",
                Remedy.Do($"take location out, or have address name {location}"));
        }

        if (entry.Mirrors.Select(mirror => mirror.Location).ToList() is { Count: > 0 } mirrors)
        {
            yield return Finding.Warning(
                what, $"images of {entry.Prefix} come from {string.Join(", ", mirrors)} first ({place}), where the shim does not look",
                Remedy.Do("take its mirrors out: the shim is told of all registries that have the images"));
        }
    }

    private static Remedy Unblock(RegistriesEntry entry) => Remedy.Replace(entry.File, entry.Table.LineOf("blocked"), "blocked = false");

    private Finding ShortNames()
    {
        const string what = "cri-o and short names";
        if (conf.Search.All(host => host == Reference.DockerHub) && conf.Search.Count > 0)
            return Finding.Ok(what, "are Docker Hub's, as they are for the shim");
        if (conf.Search.Count == 0 || (conf.IsEnforcing && conf.Search.Count > 1))
        {
            var why = conf.Search.Count == 0
                ? $"no {RegistriesConf.SearchKey}"
                : $"several {RegistriesConf.SearchKey}, short-name-mode enforcing";
            return Finding.Ok(
                what,
                $"mean nothing to cri-o ({why}), and need not: the shim pulls nginx:1.25 by the full names of its registries and finds it by them");
        }

        return Finding.Warning(
            what,
            $"are looked for in {string.Join(", ", conf.Search)} ({conf.SearchPlace.File}:{conf.SearchPlace.Line}) "
            + "when none of the shim's registries has them; the shim takes them for Docker Hub's",
            Remedy.Write($"{dropIns}/zz-short-names.conf", $"{RegistriesConf.SearchKey} = [\"{Reference.DockerHub}\"]"),
            Remedy.Run(Reload));
    }
}
