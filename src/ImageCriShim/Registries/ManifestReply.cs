namespace ImageCriShim.Registries;

/// <summary>A registry's HTTP answer, or the reason why it could not be asked for want of a token.</summary>
internal sealed class ManifestReply : IDisposable
{
    private readonly HttpResponseMessage? _response;
    private readonly Uri? _from;

    public ManifestReply(HttpResponseMessage response, Uri from, bool hasStrayed, string asWhom) =>
        (_response, _from, HasStrayed, AsWhom) = (response, from, hasStrayed, asWhom);

    public ManifestReply(ProbeResult failure) => (Failure, AsWhom) = (failure, "");

    /// <summary>Not null: there is no response.</summary>
    public ProbeResult? Failure { get; }

    public HttpResponseMessage Response => _response ?? throw new InvalidOperationException("there is a failure instead");

    /// <summary>What was asked last, after all redirects.</summary>
    public Uri From => _from ?? throw new InvalidOperationException("there is a failure instead");

    /// <summary>Whether the way there led over another host, where the credential did not go along.</summary>
    public bool HasStrayed { get; }

    /// <summary>Ends a sentence about an HTTP status: <c>for user admin</c>.</summary>
    public string AsWhom { get; }

    public void Dispose() => _response?.Dispose();
}
