namespace ImageCriShim.Relay;

/// <summary>Every bound of the relay and its reason. A peer that needs more loses its call or its connection, never the process.</summary>
internal static class RelayLimits
{
    /// <summary>kubelet opens two connections, crictl one each; two threads and up to 128 KiB of buffers stand behind each.</summary>
    internal const int Connections = 256;

    /// <summary>Connections beyond these that are being told so, each on a thread; of those beyond that nobody is told.</summary>
    internal const int Refusals = 64;

    /// <summary>
    /// A frame is held whole. Everybody sends 16 KiB frames unless the receiver asked for more; what a receiver asks for is
    /// lowered to this on its way to the sender.
    /// </summary>
    internal const int FrameBytes = 256 * 1024;

    /// <summary>Octets of one header block with its continuations. kubelet sends some hundred; C core allows 8 to 16 KiB by default.</summary>
    internal const int HeaderBlockBytes = 256 * 1024;

    /// <summary>Octets of a decoded block. Compression turns one octet into 4 KiB, so this differs from the bound above.</summary>
    internal const int HeaderListBytes = 512 * 1024;

    /// <summary>Frames that one header block may be cut into; whoever sends more sends empty ones.</summary>
    internal const int Continuations = 128;

    /// <summary>SETTINGS_HEADER_TABLE_SIZE of the runtime is lowered to this: we hold a copy of the table.</summary>
    internal const int HeaderTableBytes = 64 * 1024;

    /// <summary>An edited message, each way (kubelet's own limit for answers is 16 MiB), without the gRPC prefix.</summary>
    internal const int MessageBytes = 16 * 1024 * 1024;

    /// <summary>Bytes of edited calls held at once over all connections; real ones are some hundred bytes to some hundred KiB.</summary>
    internal const long HeldBytes = 64L * 1024 * 1024;

    /// <summary>Edited calls in progress on one connection; kubelet has as many as pods start at once.</summary>
    internal const int TakenStreams = 1024;

    /// <summary>Read of a caller that waits for the runtime; the rest stays in its socket. Its calls are some hundred bytes each.</summary>
    internal const int WaitingBytes = 256 * 1024;

    /// <summary>Calls in progress on one connection; a runtime allows 100 to 250 where it has a limit, and of each we keep a number.</summary>
    internal const int OpenCalls = 16 * 1024;

    /// <summary>Streams that we answered, and whose late frames are still dropped. Peers stop within one round trip.</summary>
    internal const int AnsweredStreams = 256;

    /// <summary>
    /// Frames of ours that wait for a peer that does not read. DATA is held back by its windows, and where those are open by
    /// <see cref="HeldBytes"/>; beyond it only control frames and headers gather here.
    /// </summary>
    internal const long PendingBytes = HeldBytes + 1024 * 1024;
}
