using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ImageCriShim.Images;

namespace ImageCriShim.Registries.Auth;

/// <summary>
/// A plugin of kubelet's that gives credentials for some images (kubernetes.io "Configure a kubelet image credential provider"): one entry of
/// <c>providers</c> in a CredentialProviderConfig. Its text form is its name, because arguments and variables may hold secrets.
/// </summary>
internal sealed class CredentialProvider(string name, string directory, string apiVersion)
{
    public static readonly ImmutableArray<string> ApiVersions =
        ["credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1beta1", "credentialprovider.kubelet.k8s.io/v1alpha1"];

    /// <summary>The plugin's program.</summary>
    public string Program { get; } = Path.Combine(directory, name);

    /// <summary>It is asked for these only.</summary>
    public required ImmutableArray<ImageGlob> MatchImages { get; init; }

    /// <summary>How long its answers are remembered that do not say so themselves; zero: not at all.</summary>
    public TimeSpan DefaultCacheDuration { get; init; }
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Set besides our own environment.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>All that was read of it, to be compared, never to be shown: arguments and variables may hold secrets.</summary>
    internal string Written => string.Join(
        '\0', [name, directory, apiVersion, $"{DefaultCacheDuration}", .. MatchImages.Select(glob => $"{glob}"), "", .. Arguments, "", .. Environment.Select(v => $"{v}")]);

    public bool Serves(Reference image) => MatchImages.Any(glob => glob.Matches(image, wholeSegments: false));

    /// <param name="image">Host and repository.</param>
    /// <param name="time">For its patience.</param>
    public async Task<ProviderAnswer> Ask(string image, TimeProvider time)
    {
        if (!HelperProgram.IsExecutable(Program))
            return ProviderAnswer.Failed($"{Program} is not there or not executable");
        var start = new ProcessStartInfo(Program, Arguments);
        foreach (var (variable, value) in Environment)
            start.Environment[variable] = value;
        var outcome = await HelperProgram.Run(start, WriteRequest(image), time);
        if (outcome.Problem is not null)
            return ProviderAnswer.Failed($"{name} {outcome.Problem}");
        if (outcome.ExitCode != 0)
            return ProviderAnswer.Failed($"{name} failed with exit code {outcome.ExitCode}; run it by hand to see why");
        return ProviderAnswer.Parse(outcome.Output, apiVersion)
            ?? ProviderAnswer.Failed($"{name} gave no CredentialProviderResponse of {apiVersion}; run it by hand to see its answer");
    }

    public override string ToString() => name;

    private byte[] WriteRequest(string image)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("kind", "CredentialProviderRequest");
            json.WriteString("apiVersion", apiVersion);
            json.WriteString("image", image);
            json.WriteEndObject();
        }
        stream.Write("\n"u8); // as kubelet ends it
        return stream.ToArray();
    }
}
