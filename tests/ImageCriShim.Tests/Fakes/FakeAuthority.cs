using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImageCriShim.Tests.Fakes;

/// <summary>A private certificate authority, such as air-gapped sites have.</summary>
internal sealed class FakeAuthority : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private readonly X509Certificate2 root = CreateRoot();

    public string Pem => root.ExportCertificatePem();

    /// <summary>A server's certificate for these DNS names and addresses, valid around today unless said otherwise.</summary>
    public X509Certificate2 Issue(string[] names, DateTimeOffset? until = null, bool hasAlternatives = true) =>
        Sign(names, "1.3.6.1.5.5.7.3.1", until ?? Now.AddDays(1), hasAlternatives);

    public X509Certificate2 IssueForClient(string name) => Sign([name], "1.3.6.1.5.5.7.3.2", Now.AddDays(1));

    /// <summary>A server's certificate with an RSA key, for suites that need one.</summary>
    public X509Certificate2 IssueRsa(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var signed = request.Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(root.GetECDsaPrivateKey()!), Now.AddDays(-10), Now.AddDays(1), [1]);
        return signed.CopyWithPrivateKey(key);
    }

    public void Dispose() => root.Dispose();

    private static X509Certificate2 CreateRoot()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fake Authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(1));
    }

    private X509Certificate2 Sign(string[] names, string usage, DateTimeOffset until, bool hasAlternatives = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                alternatives.AddIpAddress(address);
            else
                alternatives.AddDnsName(name);
        }
        if (hasAlternatives)
            request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        using var signed = request.Create(root, Now.AddDays(-10), until, RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
