using ImageCriShim.Configuration;
using ImageCriShim.Hosting;
using ImageCriShim.Registries;

namespace ImageCriShim.Inspection;

/// <summary>Looks at everything on a node that images depend on, once. Nothing is changed, and no image is pulled.</summary>
/// <param name="configPath">Of the config file.</param>
/// <param name="config">What it comes to.</param>
/// <param name="origins">Where its values stand.</param>
/// <param name="root">The node's files.</param>
/// <param name="time">This node's clock.</param>
/// <param name="environment">Where the proxies stand.</param>
internal sealed class NodeInspection(string configPath, ConfigResult config, Origins origins, NodeRoot root, TimeProvider time, Func<string, string?> environment)
{
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was.</exception>
    public async Task<IReadOnlyList<Finding>> Look(CancellationToken cancellation)
    {
        var settings = config.Settings ?? throw new InvalidOperationException("settings that cannot be used are looked at elsewhere");
        using var client = new RegistryClient(time, environment);
        var look = new RegistryLook(settings, origins, client, new SystemProxy(environment), time);
        var registries = Task.WhenAll(settings.Registries.Select(registry => look.Look(registry, cancellation)));
        var (found, runtime) = await RuntimeLook.Look(settings, RuntimeDiscovery.WellKnown, cancellation);
        using var _ = runtime;
        var shim = await ShimLook.Look(settings, runtime, cancellation);
        var seen = await registries;
        return
        [
            .. SettingsLook.Look(configPath, config),
            .. SecretsLook.Look(configPath, settings, origins),
            found,
            shim,
            .. seen.Select(one => one.Finding),
            .. ClockLook.Look(seen, time.GetUtcNow()),
            .. runtime is null ? [] : await LookAtRuntime(settings, runtime, client, seen, cancellation),
            KubeletLook.Look(root, settings.ShimSocket, runtime?.Socket ?? settings.RuntimeSocket),
            .. CrictlLook.Look(root, settings.ShimSocket),
        ];
    }

    private async Task<IEnumerable<Finding>> LookAtRuntime(
        ShimSettings settings, RuntimeAnswers runtime, RegistryClient client, IReadOnlyList<RegistrySeen> seen, CancellationToken cancellation)
    {
        var setup = await RuntimeSetup.Find(runtime, root, settings.ProbeTimeout, cancellation);
        var pause = await new PauseImageLook(settings, runtime, setup, client).Look(cancellation);
        return [.. new RuntimeRegistriesLook(runtime, setup, origins).Look(seen), .. setup?.Look(settings.Registries) ?? [], pause];
    }
}
