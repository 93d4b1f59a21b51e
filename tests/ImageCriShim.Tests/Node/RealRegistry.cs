using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Node;

/// <summary>
/// Debian's docker-registry as a child process on a free port, with its data in a directory that goes away with it.
/// Authentication and TLS as asked for.
/// </summary>
internal sealed class RealRegistry : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20); // it takes 0.3 s alone; the machine may be busy

    private readonly TempDirectory data = new();
    private readonly Process process;
    private readonly Guard guard;

    private RealRegistry(Guard guard)
    {
        this.guard = guard;
        using (var free = new ClosedPort())
            Port = free.Number;
        File.WriteAllText(data.File("config.yml"), Configuration());
        process = Programs.Start("docker-registry", "serve", data.File("config.yml"));
    }

    public int Port { get; }
    public string Host => $"127.0.0.1:{Port}";
    public string Address => $"{(guard.Certificate is null ? "http" : "https")}://{Host}";

    public static Task<RealRegistry> Start((string User, string Password)? account = null, X509Certificate2? certificate = null) =>
        Start(new Guard { Account = account, Certificate = certificate });

    public static async Task<RealRegistry> Start(Guard guard)
    {
        const int Attempts = 3; // somebody else may take the port before the registry does
        for (var attempt = 1; ; attempt++)
        {
            var registry = new RealRegistry(guard);
            if (await registry.ListensSoon())
                return registry;
            await registry.DisposeAsync();
            (attempt < Attempts).ShouldBeTrue("docker-registry ends at once");
        }
    }

    /// <summary>Copies an image of a layout there, all platforms of it.</summary>
    public async Task Push(OciLayout layout, string tag, string repository)
    {
        string[] login = guard.Account is { } a ? ["--dest-creds", $"{a.User}:{a.Password}"] : [];
        await Programs.Run(
            "skopeo", ["copy", "--insecure-policy", "--all", "--dest-tls-verify=false", .. login, $"oci:{layout.Path}:{tag}", $"docker://{Host}/{repository}:{tag}"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        data.Dispose();
    }

    private string Configuration()
    {
        var config = $"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {data.File("data")}}}}}\nlog: {{level: error}}\nhttp:\n  addr: {Host}\n";
        if (guard.Certificate is { } certificate)
        {
            File.WriteAllText(data.File("cert.pem"), certificate.ExportCertificatePem());
            File.WriteAllText(data.File("key.pem"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(data.File("clients.pem"), guard.ClientAuthority);
            var clients = guard.ClientAuthority is null ? "" : $", clientcas: [{data.File("clients.pem")}]";
            config += $"  tls: {{certificate: {data.File("cert.pem")}, key: {data.File("key.pem")}{clients}}}\n";
        }
        if (guard.Account is { } a)
        {
            Programs.Run("htpasswd", ["-B", "-b", "-c", data.File("htpasswd"), a.User, a.Password]).GetAwaiter().GetResult();
            config += $"auth: {{htpasswd: {{realm: test, path: {data.File("htpasswd")}}}}}\n";
        }
        if (guard.Tokens is { } tokens)
        {
            File.WriteAllText(data.File("signers.pem"), tokens.Authority);
            config += $"auth: {{token: {{realm: \"{tokens.Realm}\", service: {FakeTokenServer.Service}, issuer: {JwtSigner.Issuer}, rootcertbundle: {data.File("signers.pem")}}}}}\n";
        }
        return config;
    }

    /// <returns>False if the program ended instead.</returns>
    private async Task<bool> ListensSoon()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(StartLimit);
        while (!process.HasExited)
        {
            try
            {
                using var connection = new TcpClient();
                await connection.ConnectAsync(IPAddress.Loopback, Port, limit.Token);
                return !process.HasExited;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token); // it tells nobody when it listens
            }
        }
        return false;
    }

    /// <summary>Whom it lets in, and how it proves who it is.</summary>
    public sealed record Guard
    {
        public (string User, string Password)? Account { get; init; }
        public X509Certificate2? Certificate { get; init; }

        /// <summary>In PEM form; null: whoever connects need not show a certificate.</summary>
        public string? ClientAuthority { get; init; }

        /// <summary>Where tokens are had, and the authority of those who sign them.</summary>
        public (string Realm, string Authority)? Tokens { get; init; }
    }
}
