namespace ImageCriShim.Relay;

/// <summary>
/// Answers that are edited message by message and sent on while the runtime still sends. Whoever does not read holds the runtime back:
/// its window opens by what the caller takes, and by what waits here for the rest of its message. The connection's gate is held
/// around every call.
/// </summary>
/// <param name="edit">Throws nothing.</param>
internal sealed class StreamedAnswers(
    FlowLedger callerLedger, HeldBytes heldBytes, Func<TakenStream, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> edit)
{
    internal void SendHeaders(TakenStream stream, ReadOnlySpan<byte> block, bool endsStream)
    {
        var messages = stream.Messages!;
        if (endsStream)
            SendRest(stream, endsStream: false);
        else
            messages.AddHeaderBlock(block);
        callerLedger.SendHeaders(stream.Id, block, endsStream, andReset: endsStream && !stream.CallerEnded);
    }

    internal void SendMessages(TakenStream stream, ReadOnlySpan<byte> data, bool endsStream)
    {
        var messages = stream.Messages!;
        messages.Add(data);
        while (messages.TryTake(out var message))
            SendOn(stream, edit(stream, message), message.Length, endsStream: false);
        if (endsStream)
            SendRest(stream, endsStream: true);
    }

    private void SendRest(TakenStream stream, bool endsStream)
    {
        var rest = stream.Messages!.TakeRest();
        if (!rest.IsEmpty || endsStream)
            SendOn(stream, rest, rest.Length, endsStream);
    }

    /// <param name="taken">Octets of the runtime's that these stand for: held until the caller has taken them.</param>
    private void SendOn(TakenStream stream, ReadOnlyMemory<byte> data, int taken, bool endsStream)
    {
        stream.AnswerCredit.SendOn(data.Length);
        stream.Held -= taken;
        callerLedger.SendData(stream.Id, data, endsStream);
        callerLedger.WhenSent(stream.Id, () => heldBytes.Release(taken));
    }
}
