using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ImageCriShim.Tests.Faults;

/// <summary>A name server (RFC 1035) by which every name is this machine; it can hang.</summary>
internal sealed class FakeNames : IDisposable
{
    private const int HeaderLength = 12;
    private const ushort TypeA = 1;
    private const ushort Response = 0x8180; // an answer, as asked for recursively

    private readonly UdpClient _socket;

    /// <param name="address">Of loopback; the port is 53, which resolv.conf cannot say otherwise.</param>
    public FakeNames(string address)
    {
        Address = address;
        _socket = new UdpClient(new IPEndPoint(IPAddress.Parse(address), 53));
        _ = Serve();
    }

    public string Address { get; }

    public bool Hangs { get; set; }

    /// <summary>How many were not answered.</summary>
    public int Questions { get; private set; }

    public void Dispose() => _socket.Dispose();

    private async Task Serve()
    {
        try
        {
            while (true)
            {
                var question = await _socket.ReceiveAsync();
                if (Hangs)
                    Questions++;
                else
                    await _socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private static byte[] Answer(byte[] question)
    {
        var end = HeaderLength;
        while (question[end] != 0) // labels, each behind its length
            end += question[end] + 1;
        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(end + 1));
        var isKnown = type == TypeA;
        var head = question[..(end + 5)]; // name, type, class
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2), Response);
        BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(6), (ushort)(isKnown ? 1 : 0));
        head.AsSpan(8, 4).Clear(); // neither authorities nor anything additional
        byte[] address = [0xc0, HeaderLength, 0, (byte)TypeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]; // the name asked for, kept for no time
        return isKnown ? [.. head, .. address] : head;
    }
}
