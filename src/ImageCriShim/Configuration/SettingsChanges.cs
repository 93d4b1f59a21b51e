using ImageCriShim.Registries;

namespace ImageCriShim.Configuration;

/// <summary>What one set of settings says and another does not, a line for each key. No line shows a secret.</summary>
internal static class SettingsChanges
{
    public static IReadOnlyList<string> Between(ShimSettings before, ShimSettings now) => [.. OfKeys(before, now, SettingKeys.Top), .. OfRegistries(before, now)];

    /// <summary>Only what a process cannot change as it runs: its sockets.</summary>
    public static IReadOnlyList<string> OfSockets(ShimSettings before, ShimSettings now) => [.. OfKeys(before, now, SettingKeys.Top.Take(2))];

    private static IEnumerable<string> OfKeys(ShimSettings before, ShimSettings now, IEnumerable<SettingKey<ShimSettings>> keys) =>
        from key in keys
        let values = (Before: key.Value(before), Now: key.Value(now))
        where values.Before != values.Now
        select $"{key.Name} {values.Before} -> {values.Now}{key.Remark}";

    private static IEnumerable<string> OfRegistries(ShimSettings before, ShimSettings now)
    {
        foreach (var gone in before.Registries.Where(registry => Find(now, registry) is null))
            yield return gone.IsOffline ? $"address: {gone.Address} removed" : $"registries: removed {gone}";
        foreach (var registry in now.Registries)
        {
            var name = registry.IsOffline ? "address" : "registries";
            if (Find(before, registry) is not { } earlier)
                yield return $"{name}: added {registry}";
            else
                foreach (var change in OfRegistry(earlier, registry))
                    yield return $"{name}: {registry.Address}: {change}";
        }
    }

    private static IEnumerable<string> OfRegistry(Registry before, Registry now)
    {
        foreach (var (key, value, _) in SettingKeys.OfRegistry)
        {
            if (value(before) != value(now))
                yield return $"{key} {value(before)} -> {value(now)}";
        }

        if (!(before.Credentials?.IsSameAs(now.Credentials) ?? now.Credentials is null))
            yield return "auth changed";
        if (before.Tls != now.Tls)
            yield return "tls changed";
    }

    private static Registry? Find(ShimSettings settings, Registry registry) => settings.Registries.FirstOrDefault(other =>
        other.IsOffline == registry.IsOffline && other.Host == registry.Host && other.IsSamePlaceAs(registry));
}
