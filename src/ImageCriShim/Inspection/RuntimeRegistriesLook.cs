using ImageCriShim.Configuration;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>Can the runtime, which does the pulling, speak to each registry as we can? Credentials it has from us, but not this.</summary>
internal sealed class RuntimeRegistriesLook(RuntimeAnswers runtime, RuntimeSetup? setup, Origins origins)
{
    public IEnumerable<Finding> Look(IEnumerable<RegistrySeen> seen) => seen
        .Where(one => !one.Registry.SendsNamespace) // there it goes by a list of its own
        .Select(one => (one.Registry, Needs: Needs(one)))
        .Where(one => !one.Needs.IsNothing)
        .Select(one => Look(one.Needs));

    private Finding Look(RegistryNeeds needs)
    {
        var what = $"{runtime.Name} and {needs.Host}";
        if (setup is null)
            return Finding.Warning(what, $"the registry has {needs}, and it is not known how {runtime.Name} is told so", Remedy.Do("look whether it is"));
        var remedies = setup.Admit(needs).ToList();
        return remedies.Count == 0
            ? Finding.Ok(what, $"is set up for {needs}")
            : Finding.Problem(what, $"is not set up for {needs}, so pulls from there fail", [.. remedies]);
    }

    private RegistryNeeds Needs(RegistrySeen seen)
    {
        var registry = seen.Registry;
        var isStrange = registry.Address.IsHttps && seen.Shown?.IsBelieved != true; // not known is as good as no
        return new RegistryNeeds(
            registry.Host,
            !registry.Address.IsHttps,
            isStrange && registry.Tls.Ca is not null && origins.Find(registry.IsOffline ? "" : registry.Place, "tls.ca") is { } ca ? [.. ca.Files] : [],
            isStrange && registry.Tls.InsecureSkipVerify);
    }
}
