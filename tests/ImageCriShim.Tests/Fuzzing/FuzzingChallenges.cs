using System.Net;
using System.Text;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Auth;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// <c>WWW-Authenticate</c> and <c>Location</c> of any registry: whatever stands there is read within bounds, and no account is sent where
/// docs/RESOLVING.md says it is not sent. So are the bodies of token servers, which come from the same strangers.
/// </summary>
public sealed class FuzzingChallenges : FuzzTarget
{
    private static readonly Uri[] s_registries = [new("https://hub.corp/v2/a/manifests/1"), new("http://hub.corp:5000/v2/a/manifests/1"),
        new("https://hub.corp:8443/v2/a/manifests/1"),
        new("http://169.254.1.1:5000/v2/")];

    protected override string Name => "challenges";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "Bearer ", "Basic ", "Negotiate ", "realm=", "service=", "scope=", "error=\"insufficient_scope\"", "\"", "\\", "\\\"", ",", " , ",
        "=", "==", "\t", "a=b", "YWJj==",
        "realm=\"https://auth.corp/token\"", "realm=\"http://hub.corp/token\"",
        "http://hub.corp:5000/", "https://hub.corp:8443/", ":80", ":443", "\n", "http://", "https://", "//", "/token", "hub.corp", "169.254.169.254",
        "[::ffff:169.254.169.254]", "[fe80::1]", "2852039166", "0xa9fea9fe", "%31",
        "user:pass@", "?x=y", "#", "repository:a:pull", "file:///etc/passwd", "ftp://", "javascript:", "\u0000", "é", "{\"token\":\"",
        "\"expires_in\":", "1e999", "\"errors\":[{\"code\":\"DENIED\"}]");

    private protected override string Take(byte[] input)
    {
        const int fixedBytes = 8 * 1024, bytesOfACharacter = 1024; // two characters may be a challenge
        var header = Encoding.Latin1.GetString(input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var challenges = new ChallengeReader(header).Read();
        Holds(GC.GetAllocatedBytesForCurrentThread() - before < fixedBytes + (long)bytesOfACharacter * header.Length, "takes too much memory");
        Holds(challenges.Count <= header.Length && challenges.Sum(challenge => challenge.Parameters.Count) <= header.Length,
            "more than there are characters");
        Holds(Print(new ChallengeReader(Print(challenges)).Read()) == Print(challenges), "not read as printed");
        TakeBody(input);
        FollowRedirects(header);
        return $"{Shape(header, 4)} {string.Join(' ', challenges.Take(3).Select(challenge => $"{Shape(challenge.Scheme,
            3)}{Size(challenge.Parameters.Count)}{Follow(challenge)}"))}";
    }

    private static string Follow(Challenge challenge)
    {
        if (challenge.Find("realm") is not { } realm)
            return "";
        var behaviour = "";
        foreach (var registry in s_registries)
        {
            var isFound = Realm.TryFind(registry, realm, out var found, out var problem);
            Holds(isFound == problem is null && isFound == found is not null, "found, and not");
            if (found?.Otherwise is { } otherwise)
                MayBeAsked(registry, new Realm(otherwise), challenge);
            if (isFound)
                MayBeAsked(registry, found!, challenge);
            else
                Holds(problem!.Length < realm.Length + 200 && !problem.Any(char.IsControl), "a problem that cannot be shown");
            behaviour += isFound
                ? $"+{found!.Uri.Scheme}{found.Uri.HostNameType}{(found.Uri.Host == registry.Host ? "=" : "")}{Size(found.Otherwise is null ? 0 : 1)}"
                : Shape(problem![..5]);
        }

        return behaviour;
    }

    private static void MayBeAsked(Uri registry, Realm named, Challenge challenge)
    {
        var realm = named.Uri;
        Holds(realm.IsAbsoluteUri && realm.Scheme is "http" or "https" && realm.Host.Length > 0, "no server");
        Holds(registry.Scheme != "https" || realm.Scheme == "https", "an account over plain http");
        var isItself = registry.Host == realm.Host && (registry.Port == realm.Port || realm is { Scheme: "https", Port: 443 });
        Holds(isItself || !IPAddress.TryParse(realm.Host.Trim('[', ']'), out var address)
            || !IsLinkLocal(address), "an account for a cloud's own server");
        var terms = new BearerTerms(named, challenge.Find("service"), challenge.Find("scope"), "x/a");
        foreach (var repository in new[] { "x/a", "x/b", "b" })
        {
            var request = terms.RequestFor(repository, null, RegistryIdentity.Of(new Registry(Address(registry))));
            Holds(request is not null || repository != "x/a", "no request for the challenge itself");
            Holds(request is null || (request.Realm == realm && request.Scope.Trim().Length > 0), "another request");
        }
    }

    /// <summary>The input as the lines of redirects, one after the other, beginning at a token server.</summary>
    private static void FollowRedirects(string locations)
    {
        foreach (var home in s_registries)
        {
            var hop = new Hop(home, home, new TlsSettings { InsecureSkipVerify = true }, IsElsewhere: false);
            foreach (var location in locations.Split('\n').Take(Redirection.MaxRedirects))
            {
                using var response = new HttpResponseMessage(HttpStatusCode.Found);
                response.Headers.TryAddWithoutValidation("Location", location);
                if (Redirection.FindTarget(response, hop.Uri) is not { } named)
                    break;
                var target = Redirection.KeepTls(hop.Uri, named);
                Holds(target == named || (target.Scheme == "https" && target.Host == named.Host && target.Port == hop.Uri.Port),
                    "another host or port");
                var next = hop.To(target);
                MayFollow(hop, next);
                hop = next;
            }
        }
    }

    private static void MayFollow(Hop from, Hop to)
    {
        var isAtHome = to.Home.Host == to.Uri.Host && (to.Uri.Authority == to.Home.Authority || to.Uri is { Scheme: "https", Port: 443 });
        Holds(!to.HasCredential || (from.HasCredential && isAtHome), "a credential for another host");
        Holds(!to.HasCredential || to.Uri.Scheme == "https" || to.Home.Scheme == "http", "a credential over plain http");
        Holds(isAtHome || (to.IsElsewhere && !to.Tls.InsecureSkipVerify), "another host, believed as the first");
    }

    private static void TakeBody(byte[] body)
    {
        if (TokenBody.FindToken(body) is { } found)
            Holds(found.Token.Length > 0 && found.Token.All(c => c is > ' ' and < '\x7F')
                && found.Lifetime.TotalSeconds is >= 60 and <= 43200, "a token that cannot be sent");
        Holds((RegistryErrors.Find(body, SentSecrets.None, EchoedNames.None)?.Length ?? 0) <= 203, "words that are too many");
    }

    private static bool IsLinkLocal(IPAddress address)
    {
        var octets = address.GetAddressBytes();
        return octets is [169, 254, _, _] or [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 169, 254, _, _] || (octets is [0xFE, var second, ..]
            && octets.Length == 16 && (second & 0xC0) == 0x80);
    }

    private static RegistryAddress Address(Uri uri)
    {
        RegistryAddress.TryParse(uri.GetLeftPart(UriPartial.Authority), out var address, out var problem).ShouldBeTrue(problem);
        return address!;
    }

    private static string Print(IEnumerable<Challenge> challenges) => string.Join(", ", challenges.Select(challenge => challenge.Scheme + " "
        + string.Join(", ", challenge.Parameters.Select(parameter =>
            $"{parameter.Key}=\"{parameter.Value.Replace("\\", "\\\\").Replace("\"", "\\\"")}\""))));
}
