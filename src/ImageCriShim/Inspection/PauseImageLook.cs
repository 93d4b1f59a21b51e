using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>
/// Will the runtime have the image that each pod begins with? It pulls that by itself, not through us, so it has to be on the node, or at a
/// registry that the runtime reaches under that very name.
/// </summary>
internal sealed class PauseImageLook(ShimSettings settings, RuntimeAnswers runtime, RuntimeSetup? setup, RegistryClient client)
{
    private const string What = "pause image";

    public async Task<Finding> Look(CancellationToken cancellation)
    {
        if (setup?.PauseImage is not { } image || !Reference.TryParse(image, out var name))
            return Finding.Warning(What, $"it is not known which one {runtime.Name} uses", Remedy.Do($"name it in {setup?.Place ?? "the runtime's settings"}"));
        if (await runtime.Has(image, cancellation) == true)
            return Finding.Ok(What, $"{image} is on the node");
        var there = await AskAsRuntime(setup, name, cancellation);
        return there is ProbeResult.Found
            ? Finding.Ok(What, $"{image} is not on the node, but its registry has it")
            : Finding.Problem(What, $"{image} is not on the node, and {runtime.Name} pulls it by itself from {name.Domain}: {there}", [.. await Mend(name, cancellation)]);
    }

    private async Task<IEnumerable<Remedy>> Mend(Reference name, CancellationToken cancellation)
    {
        if (settings.Offline.Spell(name) is not { } here)
            return [Remedy.Do($"push {name} to {name.Domain}")];
        Remedy[] push = await Ask(settings.Offline, here, cancellation) is ProbeResult.Found
            ? []
            : [here == name ? Remedy.Do($"push {name}") : Remedy.Run($"skopeo copy --all docker://{name} docker://{here}")];
        Remedy[] set = here == name ? [] : [.. setup!.SetPauseImage($"{here}")];
        return [.. push, .. set, Remedy.Run($"crictl pull {here}")]; // through us, with the credential that the runtime has not
    }

    /// <summary>Where the runtime would ask, and without a credential. What is said last is told.</summary>
    private async Task<ProbeResult> AskAsRuntime(RuntimeSetup setup, Reference name, CancellationToken cancellation)
    {
        ProbeResult said = new ProbeResult.Unreachable("it is sent nowhere");
        foreach (var place in setup.PlacesOf(name.Domain))
        {
            if (!RegistryAddress.TryParse(place, out var address, out _) || !Reference.TryParse($"{address.Host}/{Prefix(address)}{name.Repository}{(name.Digest is null ? ':' : '@')}{name.Version}", out var there))
                continue;
            var tls = settings.Registries.FirstOrDefault(registry => registry.Host == address.Host)?.Tls ?? TlsSettings.Default;
            said = await Ask(new Registry(address) { Tls = tls }, there, cancellation);
            if (said is ProbeResult.Found)
                break;
        }

        return said;
    }

    private static string Prefix(RegistryAddress address) => address.Path.Length == 0 ? "" : $"{address.Path}/";

    private async Task<ProbeResult> Ask(Registry registry, Reference name, CancellationToken cancellation) =>
        await client.Probe(registry, name, settings.ProbeTimeout, cancellation);
}
