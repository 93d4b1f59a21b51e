using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImageCriShim.Tests.Kubelet;

/// <summary>The API server, with every right.</summary>
internal sealed partial class ClusterApi : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90); // kubelet backs off for tens of seconds
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http;

    /// <param name="kubeconfig">As the lab writes it.</param>
    public ClusterApi(string kubeconfig)
    {
        var settings = Setting().Matches(File.ReadAllText(kubeconfig)).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(settings["certificate-authority"]) },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(settings["server"]) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings["token"]);
    }

    /// <summary>Reads an object; null where there is none.</summary>
    public async Task<JsonNode?> Find(string path)
    {
        using var response = await _http.GetAsync(path, TestContext.Current.CancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        return JsonNode.Parse(await ContentOf(response));
    }

    public async Task Create(string path, JsonObject content)
    {
        using var body = new StringContent(content.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(path, body, TestContext.Current.CancellationToken);
        await ContentOf(response);
    }

    /// <summary>Deletes an object at once; it need not be there.</summary>
    public async Task Delete(string path)
    {
        using var response = await _http.DeleteAsync($"{path}?gracePeriodSeconds=0&propagationPolicy=Background");
        if (response.StatusCode != HttpStatusCode.NotFound)
            await ContentOf(response);
    }

    /// <summary>Waits until an object is there and as it should be.</summary>
    public async Task<JsonNode> WaitFor(string path, Func<JsonNode, bool> condition, string what)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            var found = await Find(path);
            if (found is not null && condition(found))
                return found;
            if (waited.Elapsed > Patience)
                throw new TimeoutException($"not within {Patience.TotalSeconds} s: {what}\n{found?["status"]?.ToJsonString() ?? "not there"}\n{await Events()}");
            await Task.Delay(Interval, TestContext.Current.CancellationToken); // between two looks
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> Events() => string.Join('\n', (await Find("/api/v1/namespaces/default/events"))!["items"]!.AsArray()
        .Select(happened => $"{happened!["involvedObject"]!["name"]}: {happened["reason"]}: {happened["message"]}").TakeLast(20));

    private static async Task<string> ContentOf(HttpResponseMessage response)
    {
        var content = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? content
            : throw new InvalidOperationException($"{response.RequestMessage!.RequestUri}: {response.StatusCode}: {content}");
    }

    [GeneratedRegex("(server|certificate-authority|token): \"([^\"]*)\"")]
    private static partial Regex Setting();
}
