using ImageCriShim.Relay;
using ImageCriShim.Tests.Fakes;

namespace ImageCriShim.Tests.Relay;

/// <summary>A ledger and the frames that come out of it, read from the far end of a real socket.</summary>
internal sealed class LedgerOutput : IDisposable
{
    private readonly SocketPair _sockets = new();
    private readonly FrameWriter _writer;
    private readonly byte[] _buffer = new byte[1024 * 1024];

    internal LedgerOutput()
    {
        _sockets.Near.SendBufferSize = 4 * 1024 * 1024; // the kernel gives some hundred KiB, more than any test leaves unread
        _writer = new FrameWriter(_sockets.Near, held: false);
        Ledger = new FlowLedger(_writer);
    }

    internal FlowLedger Ledger { get; }

    /// <summary>As a pump does with frames that have arrived together.</summary>
    internal void Forward(params Frame[] run)
    {
        if (Ledger.TryForward(run.Where(frame => frame.Type is Fakes.FrameType.Data).Sum(frame => (long)frame.Payload.Length)))
        {
            foreach (var frame in run)
                _writer.Append(frame.ToBytes());
            return;
        }

        foreach (var octets in run.Select(frame => frame.ToBytes()))
            Ledger.Forward(FrameHeader.Read(octets), octets);
    }

    /// <summary>What has come out since the last time.</summary>
    internal List<Frame> Read()
    {
        _writer.Send([]);
        var frames = new List<Frame>();
        var unread = _sockets.Far.Available > 0 ? _buffer.AsSpan(0, _sockets.Far.Receive(_buffer)) : [];
        while (_sockets.Far.Available > 0)
            unread = _buffer.AsSpan(0, unread.Length + _sockets.Far.Receive(_buffer, unread.Length, _buffer.Length - unread.Length, default));
        while (!unread.IsEmpty)
        {
            var length = unread[0] << 16 | unread[1] << 8 | unread[2];
            var stream = unread[5] << 24 | unread[6] << 16 | unread[7] << 8 | unread[8];
            frames.Add(new Frame((Fakes.FrameType)unread[3], (Fakes.FrameFlags)unread[4], stream, unread.Slice(Frame.HeaderLength, length).ToArray()));
            unread = unread[(Frame.HeaderLength + length)..];
        }

        return frames;
    }

    public void Dispose() => _sockets.Dispose();
}
