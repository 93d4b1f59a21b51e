namespace ImageCriShim.Relay;

/// <summary>Streams that we answered a moment ago: what either side still says of them is dropped.</summary>
internal sealed class AnsweredStreams
{
    private readonly HashSet<int> _ids = [];
    private readonly Queue<int> _inOrder = [];

    internal bool IsEmpty => _ids.Count == 0;

    internal bool Contains(int id) => _ids.Contains(id);

    internal void Add(int id)
    {
        _ids.Add(id);
        _inOrder.Enqueue(id);
        if (_inOrder.Count > RelayLimits.AnsweredStreams)
            _ids.Remove(_inOrder.Dequeue());
    }
}
