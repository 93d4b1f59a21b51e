namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// What has become of one request: how far its connection is, whether that one had served others before, and whether the server has sent
/// anything in response.
/// </summary>
internal sealed class RequestTrace
{
    /// <summary>Finds a request's trace on its way to the connection; the handler sends each request in the context of its caller.</summary>
    public static readonly AsyncLocal<RequestTrace?> Current = new();

    private volatile ConnectStage _stage;
    private volatile bool _isOnKept;
    private volatile bool _isAnswered;

    public ConnectStage Stage
    {
        get => _stage;
        set => _stage = value;
    }

    /// <summary>Whether the request went over a connection that was kept alive after other requests.</summary>
    public bool IsOnKept => _isOnKept;

    /// <summary>Whether at least one byte of the response has come.</summary>
    public bool IsAnswered
    {
        get => _isAnswered;
        set => _isAnswered = value;
    }

    /// <summary>The request is written to a connection; again, if the handler tries another one.</summary>
    public void BeginOn(bool isKept) => (_stage, _isOnKept, _isAnswered) = (ConnectStage.None, isKept, false);
}
