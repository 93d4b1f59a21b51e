using System.Net.Sockets;
using System.Text;
using ImageCriShim.Relay.Hpack;

namespace ImageCriShim.Relay;

/// <summary>
/// A caller that is held while the runtime is away, or takes long to say what it speaks. It gets SETTINGS of ours, because gRPC clients send
/// no call before the server's SETTINGS, and what it sends is kept for the relay or for <see cref="RefusingConnection"/>. While the runtime is
/// away it is held no longer than the deadline of its calls allows: whoever is answered too late reads "deadline exceeded" instead of the
/// reason.
/// </summary>
internal sealed class WaitingCaller(Socket caller, TimeProvider time)
{
    /// <summary>Before a deadline: an answer reaches the caller within a millisecond, on a busy machine within some hundred.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan s_silent = TimeSpan.FromMilliseconds(500); // a runtime answers within milliseconds

    private readonly long _begin = time.GetTimestamp();
    private readonly HpackDecoder _decoder = new(RelayLimits.HeaderListBytes);
    private readonly List<HeaderField> _fields = [];
    private TimeSpan _patience = RuntimeSocket.Patience;
    private int _lookedAt; // bytes from the start of what was received
    private bool _isReadable = true; // there may be more to read, and it can be understood

    /// <summary>What has been read of it, from the preface on; null where it had no need to wait and has got no SETTINGS.</summary>
    internal FrameBuffer? Received { get; private set; }

    /// <summary>Whether to try the runtime again. Reads what has arrived; does not block.</summary>
    internal bool GoesOnWaiting()
    {
        if (PeerPoll.HasHungUp(caller))
            return false;
        GreetAndRead();
        return time.GetElapsedTime(_begin) < _patience;
    }

    /// <summary>
    /// Whether it still waits while the runtime, which is there, is asked what the relay needs to know. It gets SETTINGS of ours only if that
    /// takes long: gRPC clients give up a connection that is silent for some seconds. Does not block.
    /// </summary>
    internal bool GoesOnWaitingForRelay()
    {
        if (PeerPoll.HasHungUp(caller))
            return false;
        if (Received is not null || time.GetElapsedTime(_begin) >= s_silent)
            GreetAndRead();
        return true; // for as long as the runtime hangs: without an answer its calls might go to it in a version that it does not speak
    }

    private void GreetAndRead()
    {
        try
        {
            if (Received is null)
                Greet();
            Read();
        }
        catch (Exception e) when (e is SocketException or Http2ProtocolException or HpackException)
        {
            _isReadable = false; // whoever serves this caller will come to the same end
        }
    }

    private void Greet()
    {
        Received = new FrameBuffer();
        caller.Send(new SettingsFrame().Encode());
    }

    private void Read()
    {
        while (_isReadable && Received!.Unread.Length < RelayLimits.WaitingBytes && caller.Poll(0, SelectMode.SelectRead))
        {
            _isReadable = Received.Fill(caller);
            Look(Received);
        }
    }

    private void Look(FrameBuffer received)
    {
        if (_lookedAt == 0 && !received.Unread.StartsWith(Frames.Preface))
            return;
        _lookedAt = Math.Max(_lookedAt, Frames.Preface.Length);
        while (received.TryPeek(_lookedAt, out var header, out var length))
        {
            if (header.Type is FrameType.Headers)
                NoteDeadline(header, received.Unread.Slice(_lookedAt, length));
            _lookedAt += length;
        }
    }

    private void NoteDeadline(FrameHeader header, ReadOnlySpan<byte> unit)
    {
        _decoder.Decode(Frames.HeaderBlock(header, unit), _fields);
        var sent = _fields.Find(field => field.IsNamed("grpc-timeout"u8)).Value;
        if (GrpcTimeout.Parse(Encoding.Latin1.GetString(sent.Span)) is not { } timeout)
            return;
        var margin = TimeSpan.FromTicks(Math.Min(s_margin.Ticks, timeout.Ticks / 4));
        var allowed = time.GetElapsedTime(_begin) + timeout - margin;
        _patience = allowed < _patience ? allowed : _patience;
    }
}
