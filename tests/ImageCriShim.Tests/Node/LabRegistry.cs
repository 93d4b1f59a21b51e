using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImageCriShim.Tests.Node;

/// <summary>A registry of the lab (docker-registry on loopback). Tests let nobody see it but through a <see cref="Door"/>.</summary>
public sealed class LabRegistry
{
    private readonly HttpClient _http;
    private TokenGuard? _tokens;

    private LabRegistry(int port, string? auth, string? authority)
    {
        (Port, Auth, Address) = (port, auth, $"http{(authority is null ? "" : "s")}://127.0.0.1:{port}");
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (authority is not null)
            handler.SslOptions.CertificateChainPolicy = TrustOnly(X509CertificateLoader.LoadCertificateFromFile(authority));
        _http = new HttpClient(handler) { BaseAddress = new Uri(Address) };
        if (auth is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(auth)));
    }

    public int Port { get; }

    /// <summary><c>user:password</c>; null where anybody may read and write.</summary>
    public string? Auth { get; }

    public string Address { get; }

    /// <summary>As it stands in the name of an image.</summary>
    public string Host => $"127.0.0.1:{Port}";

    /// <summary>Its process.</summary>
    public int Pid { get; private init; }

    /// <param name="lab">What it belongs to.</param>
    /// <param name="name">Of the registry in that lab.</param>
    /// <param name="auth"><c>user:password</c>, if it wants one.</param>
    /// <param name="tls">With a certificate of the lab's authority.</param>
    /// <param name="tokens">If it wants tokens: it knows nothing of the account then, the token server does.</param>
    public static async Task<LabRegistry> Start(Lab lab, string name, string? auth = null, bool tls = false, TokenGuard? tokens = null)
    {
        var port = Lab.FreePort();
        string[] options =
        [
            .. auth is null || tokens is not null ? [] : new[] { "--auth", auth },
            .. tls ? ["--tls"] : Array.Empty<string>(),
            .. tokens is { } t ? ["--token", t.Realm, t.Signers] : Array.Empty<string>(),
        ];
        await Lab.Run(["registry", "start", lab.Directory, name, $"{port}", .. options]);
        return new LabRegistry(port, auth, tls ? Path.Combine(lab.Directory, "tls", "ca.crt") : null)
        {
            _tokens = tokens,
            Pid = await ReadPid(Path.Combine(lab.Directory, "daemons", $"registry-{name}")),
        };
    }

    /// <param name="image">Where and under which tag: <c>team/app:1.0</c>.</param>
    /// <param name="content">A new image if it is not given.</param>
    public async Task<TestImage> Push(string image, TestImage? content = null)
    {
        content ??= TestImage.Make();
        var (repository, tag) = (image[..image.LastIndexOf(':')], image[(image.LastIndexOf(':') + 1)..]);
        if (_tokens is { } tokens)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Sign($"repository:{repository}:pull,push"));
        foreach (var blob in content.Blobs)
            await PushBlob(repository, blob);
        foreach (var (type, body) in content.Manifests)
            await Put($"/v2/{repository}/manifests/{TestImage.DigestOf(body)}", type, body);
        await Put($"/v2/{repository}/manifests/{tag}", content.Manifests[^1].Type, content.Manifests[^1].Body);
        return content;
    }

    private static async Task<int> ReadPid(string file) =>
        int.Parse((await File.ReadAllTextAsync(file)).Split(' ')[0], CultureInfo.InvariantCulture);

    private static X509ChainPolicy TrustOnly(X509Certificate2 authority) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    private async Task PushBlob(string repository, byte[] blob)
    {
        using var begun = await _http.PostAsync($"/v2/{repository}/blobs/uploads/", null);
        begun.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Put($"{begun.Headers.Location}&digest={TestImage.DigestOf(blob)}", "application/octet-stream", blob);
    }

    private async Task Put(string where, string type, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var answer = await _http.PutAsync(where, content);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
    }
}

/// <summary>How a registry is guarded by tokens.</summary>
/// <param name="Realm">Where they are had.</param>
/// <param name="Signers">A file with the authority of those who sign them.</param>
/// <param name="Sign">Signs one for a scope.</param>
public sealed record TokenGuard(string Realm, string Signers, Func<string, string> Sign);
