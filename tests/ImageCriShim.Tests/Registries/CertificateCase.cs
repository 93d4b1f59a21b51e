using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Tests.Registries;

/// <summary>What a TLS server shows, what is trusted, and whether Go believes it (tests/peers/go/certificates).</summary>
/// <param name="Ca">The PEM text of <c>tls.ca</c>.</param>
/// <param name="Shown">The server's own certificate, with its key.</param>
/// <param name="Sent">Those that it sends with it.</param>
/// <param name="Host">The name that it is asked by.</param>
/// <param name="IsBelieved">By Go.</param>
internal sealed record CertificateCase(string Ca, X509Certificate2 Shown, X509Certificate2[] Sent, string Host, bool IsBelieved)
{
    private const string Servers = "1.3.6.1.5.5.7.3.1";
    private const string Clients = "1.3.6.1.5.5.7.3.2";
    private const string Anything = "2.5.29.37.0";
    private const string Host1 = "reg.internal";

    private static readonly Made s_root = new("Root");
    private static readonly Made s_other = new("Other Root");
    private static readonly Made s_namesake = new("Root");
    private static readonly Made s_between = new("Between") { Signer = s_root };
    private static readonly Made s_crossed = new("Between") { Signer = s_other, Key = s_between.Key };
    private static readonly Made s_pretended = new("Between");
    private static readonly Made s_old = new("Old Root") { IsOver = true };
    private static readonly Made s_oldBetween = new("Old Between") { Signer = s_root, IsOver = true };
    private static readonly Made s_short = new("Short Root") { PathLength = 0 };
    private static readonly Made s_belowShort = new("Below") { Signer = s_short };
    private static readonly Made s_noAuthority = new("No Authority") { Signer = s_root, IsAuthority = false };
    private static readonly Made s_forClients = new("For Clients") { Signer = s_root, Usages = [Clients] };
    private static readonly Made s_forAnything = new("For Anything") { Signer = s_root, Usages = [Anything] };
    private static readonly Made s_weakRoot = new("Weak Root") { Hash = HashAlgorithmName.SHA1 };
    private static readonly Made s_leaf = Leaf(s_between);
    private static readonly Made s_alone = new("Alone") { IsAuthority = false, Names = [Host1] };
    private static readonly Made s_renewed = new("Alone") { IsAuthority = false, Names = [Host1], Key = s_alone.Key };

    public static IReadOnlyDictionary<string, CertificateCase> All { get; } = new Dictionary<string, CertificateCase>
    {
        ["the root is trusted and the intermediate is sent"] = Of(s_root, s_leaf, true, s_between),
        ["the root is trusted and all are sent"] = Of(s_root, s_leaf, true, s_between, s_root),
        ["the intermediate is missing"] = Of(s_root, s_leaf, false),
        ["an intermediate alone is trusted"] = Of(s_between, s_leaf, true),
        ["an intermediate alone is trusted and sent"] = Of(s_between, s_leaf, true, s_between),
        ["an intermediate alone is trusted and the root is sent as well"] = Of(s_between, s_leaf, true, s_between, s_root),
        ["an intermediate is trusted that another authority has signed too"] = Of(s_crossed, s_leaf, true, s_between),
        ["the server's own certificate is trusted"] = Of(s_leaf, s_leaf, true),
        ["the server's own certificate is trusted and others are sent"] = Of(s_leaf, s_leaf, true, s_between, s_root),
        ["the server's own certificate is trusted, which nobody else has signed"] = Of(s_alone, s_alone, true),
        ["the server's own certificate was renewed"] = Of(s_alone, s_renewed, false),
        ["another root is trusted"] = Of(s_other, s_leaf, false, s_between),
        ["another root of the same name is trusted"] = Of(s_namesake, s_leaf, false, s_between),
        ["another key by the name of the trusted intermediate"] = Of(s_between, Leaf(s_pretended), false),
        ["another key by the name of the trusted intermediate, which is sent"] = Of(s_between, Leaf(s_pretended), false, s_pretended),
        ["an intermediate is none"] = Of(s_root, Leaf(s_noAuthority), false, s_noAuthority),
        ["one that is no authority is trusted as one"] = Of(s_noAuthority, Leaf(s_noAuthority), false),
        ["more intermediates than the root allows"] = Of(s_short, Leaf(s_belowShort), false, s_belowShort),
        ["expired"] = Of(s_root, Leaf(s_root) with { IsOver = true }, false),
        ["expired and trusted itself"] = Expired(),
        ["signed by an expired root"] = Of(s_old, Leaf(s_old), false),
        ["signed by an expired intermediate"] = Of(s_root, Leaf(s_oldBetween), false, s_oldBetween),
        ["signed by an expired intermediate that is trusted"] = Of(s_oldBetween, Leaf(s_oldBetween), false),
        ["signed with SHA-1"] = Of(s_root, Leaf(s_root) with { Hash = HashAlgorithmName.SHA1 }, false),
        ["signed by a root that signed itself with SHA-1"] = Of(s_weakRoot, Leaf(s_weakRoot), true),
        ["for servers"] = Of(s_root, Leaf(s_root) with { Usages = [Servers] }, true),
        ["for servers and clients"] = Of(s_root, Leaf(s_root) with { Usages = [Clients, Servers] }, true),
        ["for anything"] = Of(s_root, Leaf(s_root) with { Usages = [Anything] }, true),
        ["for clients and anything"] = Of(s_root, Leaf(s_root) with { Usages = [Clients, Anything] }, true),
        ["for nothing in particular"] = Of(s_root, Leaf(s_root), true),
        ["for clients"] = Of(s_root, Leaf(s_root) with { Usages = [Clients] }, false),
        ["for signing code"] = Of(s_root, Leaf(s_root) with { Usages = ["1.3.6.1.5.5.7.3.3"] }, false),
        ["by an intermediate for clients"] = Of(s_root, Leaf(s_forClients), false, s_forClients),
        ["by a trusted intermediate for clients"] = Of(s_forClients, Leaf(s_forClients), false),
        ["by an intermediate for anything"] = Of(s_root, Leaf(s_forAnything), true, s_forAnything),
        ["*.internal for reg.internal"] = Named(Host1, true, "*.internal"),
        ["*.internal for a.reg.internal"] = Named("a.reg.internal", false, "*.internal"),
        ["*.internal for internal"] = Named("internal", false, "*.internal"),
        ["*.reg.internal for a.reg.internal"] = Named("a.reg.internal", true, "*.reg.internal"),
        ["* for hub"] = Named("hub", false, "*"),
        ["re*.internal for reg.internal"] = Named(Host1, false, "re*.internal"),
        ["*.*.internal for a.reg.internal"] = Named("a.reg.internal", false, "*.*.internal"),
        ["hub for hub"] = Named("hub", true, "hub"),
        ["Reg.INTERNAL for reg.internal"] = Named(Host1, true, "Reg.INTERNAL"),
        ["reg.internal for reg.internal."] = Named("reg.internal.", true, Host1),
        ["hub_1.internal for hub_1.internal"] = Named("hub_1.internal", true, "hub_1.internal"),
        ["the second of two names"] = Named(Host1, true, "other.internal", Host1),
        ["another name"] = Named(Host1, false, "other.internal"),
        ["an address for itself"] = Named("127.0.0.1", true, "127.0.0.1"),
        ["an IPv6 address for itself"] = Named("::1", true, "::1"),
        ["an address for another"] = Named("127.0.0.1", false, "127.0.0.2"),
        ["a name for an address"] = Named("127.0.0.1", false, "*.0.0.1"),
        ["its name as CN only"] = Of(s_root, Leaf(s_root) with { Name = Host1, Names = [] }, false),
        ["its name as CN and another as alternative"] = Of(s_root, Leaf(s_root) with { Name = Host1, Names = ["other.internal"] }, false),
        ["no name at all"] = Of(s_root, Leaf(s_root) with { Name = "", Names = [] }, false),
        ["behind a block that cannot be read"] = Of(s_root, Leaf(s_root), true) with
        {
            Ca = $"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{s_root.Certificate.ExportCertificatePem()}\n",
        },
    };

    private static Made Leaf(Made signer) => new("Leaf") { Signer = signer, IsAuthority = false, Names = [Host1] };

    private static CertificateCase Of(Made trusted, Made shown, bool isBelieved, params Made[] sent) => new(
        trusted.Certificate.ExportCertificatePem(), shown.Certificate, [.. sent.Select(one => one.Certificate)], Host1, isBelieved);

    private static CertificateCase Named(string host, bool isBelieved, params string[] names) =>
        Of(s_root, Leaf(s_root) with { Names = names }, isBelieved) with { Host = host };

    private static CertificateCase Expired()
    {
        var old = Leaf(s_root) with { IsOver = true };
        return Of(old, old, false);
    }

    /// <summary>A certificate that is made when it is wanted, signed by another one or by itself.</summary>
    private sealed record Made(string Name)
    {
        private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;
        private X509Certificate2? _certificate;

        private Made(Made other) => (Name, Signer, Key, IsAuthority, IsOver, PathLength, Usages, Names, Hash) =
            (other.Name, other.Signer, other.Key, other.IsAuthority, other.IsOver, other.PathLength, other.Usages, other.Names, other.Hash); // not its certificate

        public Made? Signer { get; init; }
        public ECDsa Key { get; init; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        public bool IsAuthority { get; init; } = true;
        public bool IsOver { get; init; }
        public int? PathLength { get; init; }
        public string[] Usages { get; init; } = [];
        public string[] Names { get; init; } = [];
        public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

        public X509Certificate2 Certificate => _certificate ??= Make();

        private X509Certificate2 Make()
        {
            var request = new CertificateRequest(Name.Length == 0 ? "O=Nobody" : $"CN={Name}", Key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(IsAuthority, PathLength is not null, PathLength ?? 0, true));
            if (IsAuthority)
                request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
            if (Usages.Length > 0)
                request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. Usages.Select(usage => new Oid(usage))], false));
            if (Names.Length > 0)
                request.CertificateExtensions.Add(Alternatives());
            var signer = Signer?.Certificate.SubjectName ?? request.SubjectName;
            var signing = Signer?.Key ?? Key;
            var generator = Hash == HashAlgorithmName.SHA1 ? new WeakSignatures(signing) : X509SignatureGenerator.CreateForECDsa(signing);
            using var bare = request.Create(
                signer, generator, s_now.AddDays(-10), IsOver ? s_now.AddDays(-1) : s_now.AddDays(1), RandomNumberGenerator.GetBytes(8));
            return bare.CopyWithPrivateKey(Key);
        }

        private X509Extension Alternatives()
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (var name in Names)
            {
                if (IPAddress.TryParse(name, out var address))
                    alternatives.AddIpAddress(address);
                else
                    alternatives.AddDnsName(name);
            }
            return alternatives.Build();
        }
    }

    /// <summary>Signs with ECDSA and SHA-1 (RFC 5758), which .NET does no longer by itself.</summary>
    private sealed class WeakSignatures(ECDsa key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => Convert.FromHexString("300906072A8648CE3D0401");

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
            key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => CreateForECDsa(key).PublicKey;
    }
}
