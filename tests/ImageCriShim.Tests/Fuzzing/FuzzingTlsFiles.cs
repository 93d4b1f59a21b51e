using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImageCriShim.Configuration;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Connecting;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Fuzzing;

/// <summary>
/// The PEM files of <c>tls</c>, as anybody may have put them together, and the first bytes of a server that was asked for TLS: certificates that can be
/// used, warnings that name a line of the file, problems in one line, and never an exception where a connection is made.
/// </summary>
public sealed class FuzzingTlsFiles : FuzzTarget, IDisposable
{
    private readonly TempDirectory _directory = new(inMemory: true);

    protected override string Name => "tls";

    protected override IReadOnlyList<byte[]> Words { get; } = Texts(
        "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "-----BEGIN TRUSTED CERTIFICATE-----\n", "-----BEGIN X509 CRL-----\n", "-----BEGIN EC PARAMETERS-----\n",
        "-----BEGIN CERTIFICATE----- ", "-----BEGIN ", "-----", "Proc-Type: 4,ENCRYPTED\n", "DEK-Info: AES-128-CBC,00\n", "Subject: CN=a\n",
        "MIIB", "AAAA", "====", "\r\n", "\r", "\n\n", "\t", "\uFEFF", "\u0085", "\u2028", "\0", "HTTP/1.1 400", "<html>", "\x15\x03\x03\0\x02\x02\x28", "\x16\x03\x01");

    public void Dispose() => _directory.Dispose();

    private protected override string Take(byte[] input)
    {
        var pem = Encoding.UTF8.GetString(input);
        var read = PemCertificates.Read(pem);
        var lines = pem.Count(c => c is '\n' or '\r' or '\f' or '\u0085' or '\u2028' or '\u2029') + 1;
        Holds(read.BadLines.SequenceEqual(read.BadLines.Distinct().Order()) && read.BadLines.All(line => line >= 1 && line <= lines), "a line that is not in the file");
        Holds(read.Certificates.Count + read.BadLines.Length <= pem.Split("-----BEGIN CERTIFICATE-----").Length, "more than there are blocks");
        foreach (var one in read.Certificates)
            Names(one);
        return $"{Size(read.Certificates.Count)} {Size(read.BadLines.Length)} {Load(input)} {First(input)}";
    }

    private static void Names(X509Certificate2 certificate)
    {
        foreach (var host in (string[])["reg.internal", "127.0.0.1", "::1", ""])
            Holds((CertificateNames.FindMismatch(certificate, host) ?? "").EnumerateRunes().All(PrintableText.IsPrintable), "a name that cannot be shown");
    }

    private static string First(byte[] input)
    {
        var why = HandshakeFailure.Explain(input, new CryptographicException("error:0A00018A:SSL routines::dh key too small"));
        Holds(why.Length < 200 && why.EnumerateRunes().All(PrintableText.IsPrintable), "cannot be shown");
        Holds(!why.Contains("it speaks plain http", StringComparison.Ordinal) || input[0] is (byte)'H' or (byte)'<', "plain http where it is none");
        return Template(why);
    }

    /// <summary>As each of the three files. What comes of it makes a connection, and what does not is said.</summary>
    private string Load(byte[] input)
    {
        var (file, config) = (_directory.File("tls.pem"), _directory.File("image-cri-shim.yaml"));
        File.WriteAllBytes(file, input);
        var outcomes = "";
        foreach (var tls in (string[])[$"ca: {file}", $"cert: {file}", $"cert: {file}, key: {file}"])
        {
            File.WriteAllText(config, $"address: a.local\ntls: {{{tls}}}\n");
            var result = ConfigFile.Load(config);
            Holds(result.Settings is null == result.Problems.Count > 0, "neither settings nor problems, or both");
            Holds(result.Problems.Concat(result.Warnings).All(line => !line.Any(char.IsControl)), "more than one line");
            if (result.Settings is { } settings)
                _ = new TlsClient(settings.Offline.Tls).OptionsFor("a.local");
            outcomes += $"{result.Problems.Count}{Size(result.Warnings.Count)}";
        }
        return outcomes;
    }
}
