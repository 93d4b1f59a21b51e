namespace ImageCriShim.Cri;

/// <summary>A call of ours that has been sent although its answer may not be needed. Exactly one of its methods is to be called.</summary>
internal sealed class AheadCall(RuntimeClient client, RuntimeConnection connection)
{
    /// <returns>The answer; null where there will be none, and the call is to be made in the ordinary way.</returns>
    /// <exception cref="OperationCanceledException"/>
    internal async Task<RuntimeReply?> Finish(CancellationToken cancellation)
    {
        try
        {
            return RuntimeClient.Read(await connection.Finish(cancellation));
        }
        catch (Exception e) when (e is RuntimeConnectionException or AnswerTooLargeException)
        {
            return null;
        }
        finally
        {
            client.PutBack(connection);
        }
    }

    /// <summary>The answer is not wanted.</summary>
    internal void GiveUp()
    {
        connection.GiveUp();
        client.PutBack(connection);
    }
}
