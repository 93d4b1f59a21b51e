using System.Text;
using System.Text.RegularExpressions;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Rewriting;
using ImageCriShim.Tests.Rewriting;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>Names of images: read as distribution/reference reads them, but for hosts that DNS has no room for, printed so that they are read the same again, spelled for
/// registries.</summary>
public sealed partial class FuzzingReferences : FuzzTarget
{
    private const int LongestHost = 253 + 6; // and a port; docs/LIMITS.md

    private static readonly CandidateList s_candidates = new(new ShimSettings
    {
        Registries =
        [
            ResolveCase.Configured("sealos.hub:5000", 1000) with { IsOffline = true },
            With("https://harbor.corp/project", "dockerhub/{repository}"),
            With("mirror.corp", "{registry}/{repository}"),
            With("[::1]:5000", "x/{name}"),
            ResolveCase.Configured("docker.io", 500),
            ResolveCase.Configured("quay.io", 400) with { Images = [ResolveCase.Pattern("*.io"), ResolveCase.Pattern("docker.io/library")] },
        ],
    });

    protected override string Name => "references";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "docker.io/", "index.docker.io/", "registry-1.docker.io/", "library/", "localhost", "localhost:5000/", "[::1]:5000/", "[fe80::1]",
        "quay.io/", "A.b/", ":latest", ":1.25",
        "@sha256:" + new string('a', 64), "@sha512:" + new string('0', 128), "@sha384:" + new string('f', 96), "sha256:" + new string('1',
        64), "__", "--", "..", "_", ":", "/", "@", "[", "]",
        new string('a', 255), new string('t', 128), "é", "K");

    private protected override string Take(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        var isRead = Reference.TryParse(text, out var reference);
        var expected = Expect(text);
        Holds(isRead ? expected == (reference!.Domain, reference.Repository, reference.Tag, reference.Digest) : expected is null,
            $"read otherwise: {expected}");
        if (reference is null)
            return $"refused {Shape(text, 6)}";
        Prints(reference);
        var places = Spells(text, reference);
        return $"{Shape(reference.Domain, 6)} {Shape(reference.Repository, 5)} {Shape(reference.Tag ?? "-", 3)} {reference.Digest?[..6]} {places}";
    }

    private static void Prints(Reference reference)
    {
        Holds(Reference.TryParse(reference.ToString(), out var again) && again.ToString() == reference.ToString(), "not read as printed");
        Holds(again!.Domain == reference.Domain && again.Repository == reference.Repository
            && again.Version == reference.Version, "another when read again");
        Holds(Reference.TryParse(reference.Kept, out var kept) && kept.Version == reference.Version
            && kept.Name == reference.Name, "another when kept");
        Holds(reference.Tagged is not { } tagged || (Reference.TryParse(tagged, out var named) && named.Digest is null
            && named.Name == reference.Name), "another with its tag");
        Holds(reference.Repository.EndsWith(reference.ShortName, StringComparison.Ordinal)
            && !reference.ShortName.Contains('/'), "another short name");
    }

    private static int Spells(string text, Reference reference)
    {
        var found = s_candidates.AtRegistries(text, reference);
        foreach (var candidate in found)
        {
            Holds(Reference.TryParse(candidate.Image, out var name) && $"{name}" == $"{candidate.Name}", "a candidate that is no name");
            Holds(name!.Version == reference.Version, "a candidate for another version");
            Holds(candidate.Registry!.Serves(reference) && candidate.Registry.IsNamedBy(name), "a candidate elsewhere");
            Holds(candidate.IsAsGiven == candidate.Registry.IsNamedBy(reference), "as given, or not");
            Holds(Uri.TryCreate(candidate.ServerAddress, UriKind.Absolute, out _), "a candidate without an address");
            Holds(candidate.Registry.FindOrigin(name) is not { } origin
                || $"{candidate.Registry.Spell(origin)}" == $"{name}", "an origin of another name");
        }

        Holds(found.Select(candidate => candidate.Image).Distinct().Count() == found.Count, "a candidate twice");
        Holds(s_candidates.AsGiven(text, reference).Image == text, "as given is another");
        return found.Count;
    }

    /// <summary>ParseNormalizedNamed of distribution/reference, in its own expressions, and Validate of go-digest.</summary>
    private static (string Domain, string Repository, string? Tag, string? Digest)? Expect(string text)
    {
        if (Id().IsMatch(text))
            return null;
        var slash = text.IndexOf('/');
        var first = slash < 0 ? "" : text[..slash];
        var isDomain = first == "localhost" || first.Contains('.') || first.Contains(':') || first.Any(char.IsUpper);
        var (domain, remainder) = isDomain ? (first, text[(slash + 1)..]) : (Reference.DockerHub, text);
        if (domain is "index.docker.io" or "registry-1.docker.io")
            domain = Reference.DockerHub;
        if (domain == Reference.DockerHub && !remainder.Contains('/'))
            remainder = "library/" + remainder;
        var match = Whole().Match($"{domain}/{remainder}");
        if (match.Groups["path"].Length > 255 && first == "registry-1.docker.io" && !text[(slash + 1)..].Contains('/'))
            match = Whole().Match(text); // the original adds no library/ there
        if (!match.Success || match.Groups["path"].Length > 255 || match.Groups["domain"].Length > LongestHost)
            return null;
        var (host, path) = (match.Groups["domain"].Value, match.Groups["path"].Value);
        if (host.Length == 0) // a path to the original, and a host to the runtimes
            (host, path) = (path[..path.IndexOf('/')], path[(path.IndexOf('/') + 1)..]);
        var digest = match.Groups["digest"];
        if (digest.Success && !Digest().IsMatch(digest.Value))
            return null;
        var tag = match.Groups["tag"];
        return (host, path, tag.Success ? tag.Value : null, digest.Success ? digest.Value : null);
    }

    private static Registry With(string address, string path)
    {
        PathTemplate.TryParse(path, out var template).ShouldBeTrue();
        return ResolveCase.Configured(address, 500) with { Path = template };
    }

    [GeneratedRegex(@"^(sha256:)?[a-f0-9]{64}\z")]
    private static partial Regex Id();

    [GeneratedRegex(@"^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})\z")]
    private static partial Regex Digest();

    [GeneratedRegex("""
        ^(?:(?<domain>
        (?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])
        (?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)/)?
        (?<path>[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*)*)
        (?::(?<tag>[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}))?
        (?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}))?\z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Whole();
}
