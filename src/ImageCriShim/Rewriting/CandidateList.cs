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
            if (registry.Spell(reference) is not { } name || found.Exists(c => c.Name == name))
                continue; // two entries of one host: both mean the image that names this host
            var isAsGiven = reference.IsAt(registry.Host);
            found.Add(new Candidate(registry, isAsGiven ? image : name.ToString(), name, isAsGiven, registry.Address.ServerAddress));
        }
        return found;
    }

    /// <summary>The name as the caller gave it; <paramref name="reference"/> is null where it is none.</summary>
    public Candidate AsGiven(string image, Reference? reference)
    {
        if (reference is null)
            return new Candidate(null, image, null, IsAsGiven: true, ServerAddress: "");
        var lender = FindLender(reference);
        var serverAddress = lender?.Address.ServerAddress ?? $"https://{RegistryAddress.ApiHost(reference.Domain)}";
        return new Candidate(lender, image, reference, IsAsGiven: true, serverAddress);
    }

    /// <summary>The configured registry of that host; of several the one whose path fits best.</summary>
    private Registry? FindLender(Reference reference) => settings.Registries
        .Where(registry => reference.IsAt(registry.Host))
        .OrderByDescending(registry => Fit(registry.Address.Path, reference.Repository))
        .FirstOrDefault();

    private static int Fit(string path, string repository) =>
        path.Length == 0 ? 0 : repository.StartsWith(path + "/", StringComparison.Ordinal) ? path.Length : -1;
}
