using System.Net;
using System.Net.Sockets;
using ImageCriShim.Configuration;
using ImageCriShim.Images;
using ImageCriShim.Registries;
using ImageCriShim.Registries.Connecting;

namespace ImageCriShim.Inspection;

/// <summary>Is there a registry at the address, do we believe it, and does it take the credential? No credential goes anywhere else.</summary>
internal sealed class RegistryLook(ShimSettings settings, Origins origins, RegistryClient client, SystemProxy proxy, TimeProvider time)
{
    private const string NoSuchImage = "image-cri-shim-check"; // a name that accounts and tokens are asked for; nothing is done with it

    public async Task<RegistrySeen> Look(Registry registry, CancellationToken cancellation)
    {
        var greeting = await client.Greet(registry, NameAt(registry), settings.ProbeTimeout, cancellation);
        var shown = registry.Address.IsHttps ? await Show(registry.Address.Endpoint, cancellation) : null;
        var finding = greeting.Failure is { } failure
            ? await WhySilent(registry, greeting, failure, shown, cancellation)
            : Judge(registry, greeting);
        // What comes from whoever is not believed is good enough to tell that a clock is wrong.
        return new RegistrySeen(registry, finding, greeting.Date ?? shown?.Date, shown);
    }

    private Finding Judge(Registry registry, Greeting greeting)
    {
        var what = WhatOf(registry);
        if (greeting.Account.Problem is { } missing)
            return Finding.Problem(what, $"its credential cannot be had: {missing}", Remedy.Do($"mend {greeting.Account.From}"));
        if (greeting.Reason is { } reason)
            return greeting is { IsTokenDenied: true, Account.Credential: not null } ? Refused(registry, greeting, reason) : Finding.Problem(what, reason, Remedy.Run($"curl -v {registry.ApiUri}"));
        var said = greeting.Words is { } words ? $", {words}" : "";
        return greeting.Status switch
        {
            HttpStatusCode.OK when !greeting.IsPage => Finding.Ok(what, greeting.Account.Credential is { } credential ? $"answers, and takes {credential} ({greeting.Account.From})" : "answers"),
            HttpStatusCode.Unauthorized when greeting.Account.Credential is null => Finding.Problem(what, "wants a credential, and none is configured", AddCredential(registry)),
            HttpStatusCode.Unauthorized => Refused(registry, greeting, $"HTTP 401 {greeting.AsWhom}{said}"),
            HttpStatusCode.Forbidden => Finding.Problem(
                what, $"denies access: HTTP 403 {greeting.AsWhom}{said}; the credential is known there, but it may not read", Remedy.Do($"have whoever runs {registry.Host} allow it to pull")),
            HttpStatusCode.TooManyRequests => Finding.Warning(
                what, "answers, and wants to be left alone for now: HTTP 429", Remedy.Do("wait; if it goes on, give it a credential, or a higher limit there")),
            HttpStatusCode.Gone or HttpStatusCode.UnavailableForLegalReasons or HttpStatusCode.PreconditionFailed or HttpStatusCode.Locked when !greeting.IsPage =>
                Finding.Problem(what, $"refuses to be asked: HTTP {(int)greeting.Status}{said}", Remedy.Do($"ask whoever runs {registry.Host} why")),
            var status => Finding.Problem(
                what, $"is no registry: {registry.ApiUri} answers HTTP {(int)status}{(greeting.IsPage ? " with a web page" : "")}", Remedy.Do($"mend the address ({PlaceOf(registry)})")),
        };
    }

    private Finding Refused(Registry registry, Greeting greeting, string reason) => Finding.Problem(
        WhatOf(registry),
        $"does not take {greeting.Account.Credential} ({greeting.Account.From}): {reason}{(greeting.Words is null ? "; user or password is wrong" : "")}",
        Remedy.Do($"write the right one ({WhereOf(registry, greeting.Account.From)})"));

    private Remedy AddCredential(Registry registry) =>
        Remedy.Do($"add auth: USER:PASSWORD, or username and passwordFile, to {(registry.IsOffline ? "the top of the config file" : "its entry of registries")} ({PlaceOf(registry)})");

    private async Task<Finding> WhySilent(Registry registry, Greeting greeting, Exception failure, ShownCertificate? shown, CancellationToken cancellation)
    {
        var what = WhatOf(registry);
        var other = await FindOther(registry, failure, shown, cancellation);
        if (other is not null)
            return Finding.Problem(what, $"speaks {(registry.Address.IsHttps ? "plain http" : "https")}, and the address says {(registry.Address.IsHttps ? "https" : "http")}", Remedy.Do($"write address: {other} ({PlaceOf(registry)})"));
        if (Find<UntrustedCertificateException>(failure) is not null && shown is not null)
            return shown.Explain(what, registry, $"{greeting.Reason}", time.GetUtcNow(), $"({PlaceOf(registry)})");
        if (Find<HandshakeException>(failure) is not null)
            return Finding.Problem(what, $"cannot be reached: {greeting.Reason}", Remedy.Do($"look what it says to openssl s_client -connect {registry.Address.Endpoint.Authority}, and have whoever runs {registry.Host} offer TLS 1.2 or 1.3 with ECDHE and AES-GCM"));
        return Finding.Problem(what, $"cannot be reached: {greeting.Reason}", ErrorOf(failure) switch
        {
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => Remedy.Do($"have DNS know its name, or add the line ADDRESS {HostName(registry)} to /etc/hosts"),
            SocketError.ConnectionRefused => Remedy.Do($"start the registry, or mend the port in its address ({PlaceOf(registry)})"),
            _ => Remedy.Do($"find out where packets are lost, with curl -v {registry.ApiUri}, or mend its address ({PlaceOf(registry)})"),
        });
    }

    /// <returns>The address with the scheme that is spoken there; null where it is not the scheme that is wrong.</returns>
    private async Task<string?> FindOther(Registry registry, Exception failure, ShownCertificate? shown, CancellationToken cancellation)
    {
        if (shown is not null || ErrorOf(failure) is SocketError.ConnectionRefused or SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
            return null;
        var (scheme, address) = (registry.Address.IsHttps ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, registry.Address);
        var other = new UriBuilder(address.Endpoint) { Scheme = scheme, Port = address.Endpoint.Port }.Uri;
        var speaks = address.IsHttps ? await Unauthenticated.Speaks(other, proxy, settings.ProbeTimeout, cancellation) : await Show(other, cancellation) is not null;
        return speaks ? $"{scheme}://{address.Host}{(address.Path.Length == 0 ? "" : $"/{address.Path}")}" : null;
    }

    private Task<ShownCertificate?> Show(Uri endpoint, CancellationToken cancellation) => Unauthenticated.Show(endpoint, proxy, settings.ProbeTimeout, cancellation);

    private string PlaceOf(Registry registry) => WhereOf(registry, "address");

    private string WhereOf(Registry registry, string key) =>
        origins.Find(registry.IsOffline ? "" : registry.Place, key)?.Place ?? origins.Find(registry.IsOffline ? "" : registry.Place, "address")?.Place ?? key;

    private static string WhatOf(Registry registry) => $"registry {registry.Address}";

    private static string HostName(Registry registry) => registry.Address.Endpoint.IdnHost;

    private static Reference NameAt(Registry registry)
    {
        var path = registry.Address.Path.Length == 0 ? "" : $"{registry.Address.Path}/";
        return Reference.TryParse($"{registry.Host}/{path}{NoSuchImage}", out var name) ? name : throw new InvalidOperationException("an address is checked for that");
    }

    /// <summary>A name that is not looked up in time is one that DNS does not answer for.</summary>
    private static SocketError? ErrorOf(Exception failure) =>
        failure is NotConnectedException { Stage: ConnectStage.LookUp } ? SocketError.TryAgain : Find<SocketException>(failure)?.SocketErrorCode;

    private static T? Find<T>(Exception? e)
        where T : Exception
    {
        while (e is not null and not T)
            e = e.InnerException;
        return e as T;
    }
}

/// <summary>What was seen of a registry.</summary>
/// <param name="Date">What time it is there; null where it did not say.</param>
/// <param name="Shown">Its certificate, if it has one.</param>
internal sealed record RegistrySeen(Registry Registry, Finding Finding, DateTimeOffset? Date, ShownCertificate? Shown);
