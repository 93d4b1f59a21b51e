namespace ImageCriShim.Relay;

/// <summary>Octets that a stream's sender is to be credited and has not been yet; below 0 it has been credited too much.</summary>
internal sealed class StreamCredit
{
    private long _owed;

    /// <summary>
    /// Credits a frame that we took to its sender: on the connection by the ledger, on its stream, if it is still open, before that closes.
    /// </summary>
    /// <param name="stream">Null where the stream's window is of no interest any more.</param>
    internal static void Take(FrameHeader taken, StreamCredit? stream, FlowLedger ledger, FrameWriter toSender)
    {
        ledger.Take(taken.Length);
        if (stream is null || taken.EndsStream)
            return;
        stream._owed += taken.Length;
        if (stream._owed >= ledger.InitialStreamWindow / 2)
            stream.Pay(taken.StreamId, toSender);
    }

    /// <summary>As many octets were sent on: the receiver's own updates credit them.</summary>
    internal void SendOn(int octets) => _owed -= octets;

    /// <summary>The receiver's update, of octets that were sent on or of a window that it opens wider.</summary>
    internal void Return(int id, int increment, FrameWriter toSender)
    {
        _owed += increment;
        Pay(id, toSender);
    }

    internal void Pay(int id, FrameWriter toSender)
    {
        if (_owed <= 0)
            return;
        toSender.Append(Frames.WindowUpdate(id, (int)Math.Min(_owed, int.MaxValue)));
        _owed = 0;
    }
}
