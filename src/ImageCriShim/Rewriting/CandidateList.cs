using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;

namespace ImageCriShim.Rewriting;

/// <summary>Which names an image may be pulled by, without asking anybody.</summary>
internal sealed class CandidateList(ShimSettings settings)
{
    /// <summary>The registries that are asked for the image, highest first, each with the image's name there.</summary>
    public IReadOnlyList<Candidate> AtRegistries(string image, Reference reference)
    {
        var found = new List<Candidate>();
        foreach (var registry in settings.Registries.Where(r => r.Serves(reference)))
        {
            if (registry.IsNamedBy(reference))
            {
                // Other entries of this host mean the same name, but with an account that is for other paths.
                if (ReferenceEquals(registry, FindOwn(reference)))
                    found.Add(AsGiven(image, reference));
            }
            else if (registry.Spell(reference) is not { } name)
            {
                continue;
            }
            else if (registry.SendsNamespace)
            {
                var told = registry with { Namespace = reference.Domain };
                found.Add(new Candidate(told, image, name, IsAsGiven: true, registry.Address.ServerAddress));
            }
            else if (!found.Exists(c => c.Name == name))
            {
                found.Add(new Candidate(registry, name.ToString(), name, IsAsGiven: false, registry.Address.ServerAddress));
            }
        }
        return found;
    }

    /// <summary>The name as the caller gave it; <paramref name="reference"/> is null where it is none.</summary>
    public Candidate AsGiven(string image, Reference? reference)
    {
        if (reference is null)
            return new Candidate(null, image, null, IsAsGiven: true, ServerAddress: "");
        var own = FindOwn(reference);
        // In the image's own letters: containerd compares them, capitals too.
        var serverAddress = $"{(own?.Address.IsHttps == false ? "http" : "https")}://{RegistryAddress.ApiHost(reference.Domain)}";
        return new Candidate(own is null ? null : Lend(own, reference), image, reference, IsAsGiven: true, serverAddress);
    }

    /// <summary>
    /// The other way round, for an image that is on the node and of which nobody knows how it came: what was asked for when a registry gave it
    /// by this name? Null where the settings do not tell.
    /// </summary>
    public Reference? FindOrigin(Reference actual) =>
        settings.Registries.Select(registry => registry.FindOrigin(actual)).OfType<Reference>().Distinct().ToList() is [var only] ? only : null;

    /// <summary>The configured registry of the host that the image names; of several the one whose path fits best.</summary>
    private Registry? FindOwn(Reference reference) => settings.Registries
        .Where(registry => registry.IsNamedBy(reference))
        .MaxBy(registry => Fit(registry.Address.Path, reference.Repository));

    /// <summary>Where a host has several accounts, each goes with the paths that it is for; other paths are asked for without.</summary>
    private Registry Lend(Registry own, Reference reference) =>
        Fit(own.Address.Path, reference.Repository) >= 0
        || settings.Registries.Count(registry => registry.Address.Key == own.Address.Key) == 1
            ? own
            : own with { Credentials = null, ForwardPullSecrets = false };

    /// <summary>How much of the repository the path covers, in whole segments; -1 where it is another path.</summary>
    private static int Fit(string path, string repository) =>
        path.Length == 0 ? 0 : repository.StartsWith(path + "/", StringComparison.Ordinal) ? path.Length : -1;
}
