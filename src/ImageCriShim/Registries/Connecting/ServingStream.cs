namespace ImageCriShim.Registries.Connecting;

/// <summary>
/// A connection as the HTTP handler sees it: notes which request it serves and when the response begins. The end of the connection instead of
/// a response is an error of that request; the handler would ask up to three times more, on whatever connections it has.
/// </summary>
internal sealed class ServingStream(Stream inner) : WrappedStream(inner)
{
    private volatile RequestTrace? _request;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (RequestTrace.Current.Value is { } request && request != _request)
        {
            request.BeginOn(isKept: _request is not null);
            _request = request;
        }
        return base.WriteAsync(buffer, cancellationToken);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer, cancellationToken);
        if (buffer.Length == 0 || _request is not { } request)
            return read; // the handler waits for data without reading any
        if (read == 0 && !request.IsAnswered)
            throw new ConnectionException("it closed the connection without an answer");
        request.IsAnswered = true;
        return read;
    }
}
